"""With which environment does the migration command run, so that its sessions know their run?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from audit_action import pgoptions
from audit_action.model import Delivery

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
    """How one run is told to sessions: as PGOPTIONS, in the URL where that replaces them, and as a name."""

    database_url: str
    pgoptions: str
    pgappname: str


def session_settings(
    settings: Mapping[str, str], *, run_id: UUID, database_url: str, inherited: str, inherited_name: str
) -> SessionSettings:
    """What to tell the sessions of one run, joined to what the user had set.

    `settings` are those of `pgoptions.session_settings`; `inherited` is the user's own PGOPTIONS,
    `inherited_name` their PGAPPNAME, which stays readable behind ours.
    """
    ours = pgoptions.encode(settings)
    name = f"schema-audit/{run_id} {inherited_name}".strip()
    return SessionSettings(
        database_url=pgoptions.merge_into_url(database_url, ours),
        pgoptions=pgoptions.encode(settings, inherited),
        pgappname=name.encode()[:APPLICATION_NAME_BYTES].decode(errors="ignore"),
    )


def without_options(sessions: SessionSettings, *, database_url: str, inherited: str) -> SessionSettings:
    """The same where the server or a pooler refuses the options: the name, and nothing else, is told."""
    return SessionSettings(database_url=database_url, pgoptions=inherited, pgappname=sessions.pgappname)


def environment_of_command(environ: Mapping[str, str], sessions: SessionSettings) -> dict[str, str]:
    """The command's environment: ours without our inputs and the job's tokens, with the session settings."""
    kept = {
        name: value
        for name, value in environ.items()
        if not name.upper().startswith(_OURS) and name not in _TOKENS
    }
    told = {
        "DATABASE_URL": sessions.database_url,
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
