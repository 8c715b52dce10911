"""How is a DDL case written down? Reads `ddl_cases.txt`.

    == its name                        [as app] [on 15-]
    setup> what is there before
    the statement
    -> what audit.history then holds, one line an event
    ->17- the same, from PostgreSQL 17 on
    ->-16 the same, up to PostgreSQL 16

An event is written as `CREATE TABLE public.t`, a drop with `-` in front (`~`: taken along), a rewrite with
`*` and its reason, and the name before a rename after `<-`. `{app}`, `{owner}`, `{reader}`, `{database}` and
`{extension}` stand for the names of one run.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

FILE = Path(__file__).with_name("ddl_cases.txt")


@dataclass(slots=True)
class Case:
    """One DDL case; `expected` pairs a range of majors with a line."""

    name: str
    role: str = "postgres"
    majors: range = range(14, 99)
    setup: str = ""
    statement: str = ""
    expected: list[tuple[range, str]] = field(default_factory=list)

    def lines(self, major: int) -> list[str]:
        return [line for majors, line in self.expected if major in majors]


def _majors(text: str) -> range:
    low, _, high = text.partition("-")
    return range(int(low or 0), int(high or 98) + 1)


def read_cases() -> list[Case]:
    cases: list[Case] = []
    for line in FILE.read_text().splitlines():
        if header := re.fullmatch(r"== (.*?)(?:\s+\[as (\w+)\])?(?:\s+\[on ([\d-]+)\])?", line):
            name, role, majors = header.groups()
            cases.append(Case(name, role or "postgres", _majors(majors or "")))
        elif expected := re.fullmatch(r"->([\d-]*) (.*)", line):
            cases[-1].expected.append((_majors(expected[1]), expected[2]))
        elif line.startswith("setup> "):
            cases[-1].setup = line.removeprefix("setup> ")
        elif line:
            cases[-1].statement += ("\n" if cases[-1].statement else "") + line
    return cases
