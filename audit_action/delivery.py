"""With which environment does the migration command run, so that its sessions know their run?"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from audit_action import pgoptions
from audit_action.model import Delivery
from audit_action.url_options import options_of, with_options

APPLICATION_NAME_BYTES = 63
"""NAMEDATALEN - 1: the server cuts application_name there (src/backend/utils/misc/guc_tables.c)."""

# What is ours and not the command's: our inputs (a recorder's login is among them), and the tokens with
# which a process can act as this job.
_OURS = ("INPUT_", "STATE_")
_TOKENS = frozenset(
    {"ACTIONS_RUNTIME_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_URL"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSettings:
    """How one run is told to sessions: as PGOPTIONS, in the URLs where it must stand there, and as a name.

    `urls` are DATABASE_URL and the variables of `url-variables`, by name, as the command gets them.
    """

    urls: Mapping[str, str] = field(repr=False)
    pgoptions: str
    pgappname: str


def session_settings(
    settings: Mapping[str, str],
    *,
    run_id: UUID,
    urls: Mapping[str, str],
    write_into: Collection[str],
    inherited: str,
    inherited_name: str,
) -> SessionSettings:
    """What to tell the sessions of one run, joined to what the user had set.

    `settings` are those of `pgoptions.session_settings`; `urls` the connection strings that the command
    gets, by variable; `write_into` the names among them that get the settings in any case: the others do
    only where they bring options, which replace PGOPTIONS. `inherited` is the user's own PGOPTIONS,
    `inherited_name` their PGAPPNAME, which stays readable behind ours.
    """
    name = f"schema-audit/{run_id} {inherited_name}".strip()
    return SessionSettings(
        urls={variable: _told(url, settings, variable in write_into) for variable, url in urls.items()},
        pgoptions=pgoptions.encode(settings, inherited),
        pgappname=name.encode()[:APPLICATION_NAME_BYTES].decode(errors="ignore"),
    )


def _told(url: str, settings: Mapping[str, str], in_any_case: bool) -> str:
    own = options_of(url)
    if own is None and not in_any_case:
        return url
    room = pgoptions.STARTUP_PACKET_BYTES - len((own or "").encode())
    return with_options(url, pgoptions.encode(settings, budget=room))


def without_options(sessions: SessionSettings, *, urls: Mapping[str, str], inherited: str) -> SessionSettings:
    """The same where the server or a pooler refuses the options: the name, and nothing else, is told."""
    return SessionSettings(urls=urls, pgoptions=inherited, pgappname=sessions.pgappname)


def environment_of_command(environ: Mapping[str, str], sessions: SessionSettings) -> dict[str, str]:
    """The command's environment: ours without our inputs and the job's tokens, with the session settings."""
    kept = {
        name: value
        for name, value in environ.items()
        if not name.upper().startswith(_OURS) and name not in _TOKENS
    }
    told = {
        **sessions.urls,
        "PGAPPNAME": sessions.pgappname,
        "PGOPTIONS": sessions.pgoptions,
    }
    return kept | {name: value for name, value in told.items() if value}


def carried_by(*, run_id: UUID, arrived_run_id: str, arrived_name: str) -> Delivery:
    """Which of the ways of design 4.4 carries this run, by what a probing session received."""
    if arrived_run_id == str(run_id):
        return Delivery.SESSION
    if arrived_name.startswith(f"schema-audit/{run_id}"):
        return Delivery.APPLICATION_NAME
    return Delivery.OPEN_RUN
