"""What do readers learn about the tools? docs/compatibility.md, written from compat/results.json."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from compat.tools import HERE, ROOT

RESULTS = HERE / "results.json"
DOCUMENT = ROOT / "docs" / "compatibility.md"

HEAD = """\
# Which tools were tried, and how each one's changes found their run

{number} tools and drivers were run for this table, each with its own command on a small project of three
migrations (create a table, add a column, create an index), through the action's entrypoint, on PostgreSQL 18.
The author was called `Ada O'Neil \\ "Q" 100% é 名 😀`. No project was changed for it: all that the action
sets are environment variables. [delivery.md](delivery.md) explains the ways.

- **Direct**: the action as it comes, the tool connected straight to the server.
- **With `url-variables`**: the variable with the tool's URL named there.
- **PgBouncer**: the action as it comes, through PgBouncer 1.18 in transaction mode, which refuses the session
  settings. The action finds that out and sends none.
- **Name**: the author's name came through unchanged, in every place where it is stored.
"""

FOOT = """
✓: run again in every CI run, which fails where a verdict differs from this table. The others are run by
`make compat`, which writes this file.
"""

ALONE = """
Where a tool *fails, without the action too*, the very same command was run on its own in the same place and
failed as well.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One tool: how its changes found their run direct, with `url-variables`, and behind PgBouncer."""

    tool: str
    version: str
    driver: str
    direct: str = ""
    in_url: str = ""
    pooled: str = ""
    intact: bool = False
    ci: bool = False
    remark: str = ""
    not_run: str = ""

    @property
    def verdicts(self) -> tuple[str, str, str, bool, str]:
        """What was found, whatever the version."""
        return self.direct, self.in_url, self.pooled, self.intact, self.not_run

    @property
    def key(self) -> str:
        """What tells it from the others."""
        return f"{self.tool} ({self.driver})"


def read_results() -> list[Result]:
    """What was found when the tools were run last."""
    if not RESULTS.exists():
        return []
    return [Result(**each) for each in json.loads(RESULTS.read_text())]


def render(results: Sequence[Result]) -> str:
    """The document."""
    return "\n".join(_lines(results)) + "\n"


def _lines(results: Sequence[Result]) -> Iterator[str]:
    ran = [each for each in results if not each.not_run]
    yield "<!-- Written by `make compat` from compat/results.json; a test fails where they differ. -->"
    yield from HEAD.format(number=len(ran)).splitlines()
    yield ""
    yield "| tool | version | driver | direct | with `url-variables` | PgBouncer | name | remark |"
    yield "|---|---|---|---|---|---|---|---|"
    for each in ran:
        cells = (
            each.tool + (" ✓" if each.ci else ""),
            each.version,
            each.driver,
            _way(each.direct),
            _way(each.in_url) or "–",
            _way(each.pooled),
            "whole" if each.intact else "CHANGED",
            each.remark,
        )
        yield f"| {' | '.join(cells)} |"
    yield from FOOT.splitlines()
    if any("without" in f"{each.direct}{each.in_url}{each.pooled}" for each in ran):
        yield from ALONE.splitlines()
    not_run = [each for each in results if each.not_run]
    if not_run:
        yield ""
        yield "## Not run"
        yield ""
        for each in not_run:
            yield f"- **{each.tool}** ({each.driver}): {each.not_run}."


def _way(verdict: str) -> str:
    """The trail's own words for a way as code, what is no way in plain words."""
    if not verdict or " " in verdict.replace(" + ", "+"):
        return verdict
    return " + ".join(f"`{each}`" for each in verdict.split(" + "))
