"""How is an export written to files? A site in a folder, or one file of rows."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from audit_action.dashboard import export
from audit_action.dashboard.filters import Filter
from audit_action.dashboard.fleet import Fleet
from audit_action.dashboard.serving import check_logins, named
from audit_action.dashboard.site import write_site
from audit_action.errors import NothingWasRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where to; one of them is given."""

    html: str = ""
    csv: str = ""
    jsonl: str = ""


def write(
    urls: Sequence[str],
    wanted: Filter,
    target: Target,
    say: Callable[[str], None],
    *,
    timeout: float,
    allow_writer: bool,
) -> int:
    """Write all that the filter finds. Raises TrailError where a database cannot be read to its end."""
    fleet = Fleet(named(urls, timeout=timeout), patience=timeout * 2)
    fleet.open()
    try:
        check_logins(fleet, say, allow_writer=allow_writer)
        if target.html:
            folder = Path(target.html)
            if folder.exists() and not folder.is_dir():
                raise NothingWasRun(f"{folder} is a file; --html takes a folder.")
            say(f"{write_site(fleet, wanted, folder)} Open {folder / 'index.html'}.")
            return 0
        lines = export.csv_lines if target.csv else export.json_lines
        name = target.csv or target.jsonl
        rows = export.rows(fleet, wanted)
        if name == "-":
            sys.stdout.writelines(lines(rows))
            sys.stdout.flush()
        else:
            with Path(name).open("w", encoding="utf-8", newline="") as file:
                file.writelines(lines(rows))
            say(f"Written: {name}")
    finally:
        fleet.close()
    return 0
