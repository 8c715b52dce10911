"""What is to be done about a check of the trail that is red? One sentence for each, by its name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from audit_action.dashboard.records import Run
from audit_action.model import Check

_ADVICE = (
    (
        "event trigger",
        "Changes made now may be missing from the trail. As the role that installed it, run "
        "`schema-audit install` again: it makes a missing trigger and enables each one always. Then ask who "
        "switched it off: `alter event trigger` leaves no event itself, the server's log does.",
    ),
    (
        "function",
        "What records changes is not what was installed. Compare it with sql/parts/capture.sql, find out who "
        "replaced it, and run `schema-audit install` to put it back.",
    ),
    ("version", "Run `schema-audit install` of the version you use: it upgrades in one transaction."),
    (
        "owner",
        "Whoever owns the trail can rewrite it. Let a role nobody logs in as own it: "
        "`schema-audit install` as a role that may create roles does.",
    ),
    (
        "seal",
        "Rows that are not sealed yet can be altered by a superuser without a trace. "
        "Call `select audit.seal()` on a schedule, or at the end of every run.",
    ),
    ("verify", "Rows are not what was sealed. Keep this database as it is, and compare with a backup."),
)
_ELSE = "Run `schema-audit install` again as the role that installed the trail; docs/trail.md tells more."


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much a trail holds: `events` is the planner's estimate."""

    events: int | None
    bytes: int | None
    newest: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """One database's trail: its checks, the runs that are open, its size."""

    database: str
    checks: tuple[Check, ...]
    open_runs: tuple[Run, ...]
    size: Size
    words_indexed: bool
    warehouse: bool
    login: str

    @property
    def red(self) -> int:
        """How many checks are not as they should be."""
        return sum(not each.ok for each in self.checks)


def advice(check: Check) -> str:
    """What to do about a red check."""
    name = check.check.lower()
    return next((said for word, said in _ADVICE if word in name), _ELSE)


def expired(runs: Sequence[Run], now: datetime) -> tuple[Run, ...]:
    """The open runs that will not end by themselves any more."""
    return tuple(each for each in runs if each.expires_at <= now)
