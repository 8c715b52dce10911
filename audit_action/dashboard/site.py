"""How does the history become a folder of files? A static site with a search that needs no server."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import UUID

from audit_action.dashboard import people
from audit_action.dashboard.app import STATIC, known_as
from audit_action.dashboard.filters import Filter
from audit_action.dashboard.fleet import Fleet
from audit_action.dashboard.pages import OneRun, OneTransaction, Pages, Timeline
from audit_action.dashboard.records import Entry, Part
from audit_action.dashboard.rendering import Renderer, title
from audit_action.dashboard.site_links import SiteLinks, file_name
from audit_action.errors import NothingWasRun, TrailError
from audit_action.report.record import plain
from audit_action.report.wording import counted

PAGE = 50
COMMANDS = 40
MARK = ".schema-history"
SEARCHED = 500
"""Characters of one statement that the search of the site knows."""


def write_site(fleet: Fleet, wanted: Filter, folder: Path) -> str:
    """Write the site of what the filter finds into `folder`; says how much that was.

    Raises TrailError where a database gives no answer: a site that is not whole must not look so.
    """
    return _Site(fleet, wanted, folder).write()


@dataclass(slots=True)
class _Site:
    """One site being written."""

    fleet: Fleet
    wanted: Filter
    folder: Path
    links: SiteLinks = field(default_factory=SiteLinks)
    entries: dict[UUID, Entry] = field(default_factory=dict)

    def write(self) -> str:
        self._emptied()
        for name in ("static", "runs", "transactions", "objects", "people"):
            (self.folder / name).mkdir(parents=True)
        for asset in STATIC.iterdir():
            shutil.copy(asset, self.folder / "static" / asset.name)
        found = list(self._found())
        self.entries = {each.key: each for each in found}
        self._indexes(found)
        (self.folder / "static" / "search-data.js").write_text(_search_data(found), encoding="utf-8")
        self._runs_and_transactions()
        self.links.known_objects = frozenset(self.links.objects)
        self._objects()
        self._runs_and_transactions()  # those that a life led to
        self._people()
        self._runs_and_transactions()
        pages = sum(1 for _ in self.folder.rglob("*.html"))
        return f"{counted(len(found), 'entry').replace('entrys', 'entries')} on {counted(pages, 'page')}."

    def _emptied(self) -> None:
        """A new folder, an empty one, or the site that was written there before; never somebody's files."""
        mark = self.folder / MARK
        if self.folder.is_dir() and any(self.folder.iterdir()):
            if not mark.exists():
                raise NothingWasRun(
                    f"{self.folder} has files that are not a site of ours. Name a new folder, or empty it."
                )
            shutil.rmtree(self.folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        mark.write_text("Written by `schema-audit export --html`, which replaces this folder.\n")

    def _found(self) -> Iterator[Entry]:
        pages = Pages(self.fleet)
        wanted = replace(self.wanted, before=None)
        while True:
            page = pages.timeline(wanted, size=PAGE, commands=COMMANDS)
            _whole(page.problems)
            yield from page.entries
            if not page.older:
                return
            wanted = replace(wanted, before=page.older)

    def _indexes(self, found: list[Entry]) -> None:
        slices = [found[at : at + PAGE] for at in range(0, len(found), PAGE)] or [[]]
        names = ["index.html", *(f"page-{number}.html" for number in range(2, len(slices) + 1)), ""]
        for number, entries in enumerate(slices):
            self._page(
                names[number],
                "site",
                entries=entries,
                newer=names[number - 1] if number else "",
                older=names[number + 1],
                first=number == 0,
                total=len(found),
                only=self.wanted.address(),
            )

    def _runs_and_transactions(self) -> None:
        """Every one that is linked to and not written yet; what they link to in turn is written too."""
        pages = Pages(self.fleet)
        while self.links.waiting:
            kind, key = self.links.waiting.pop()
            if kind == "runs":
                run = self._run(pages, key)
                if run:
                    self._page(f"runs/{key}.html", "run", found=run)
            else:
                transaction = self._transaction(pages, key)
                if transaction:
                    self._page(f"transactions/{key}.html", "transaction", found=transaction)

    def _run(self, pages: Pages, key: UUID) -> OneRun | None:
        parts: list[Part] = []
        after = None
        while True:
            found, problems = pages.run(key, after)
            _whole(problems if found is None else ())
            if found is None:
                return None
            parts += found.parts
            after = found.next
            if after is None:
                self.entries.setdefault(key, _entry(found, tuple(parts)))
                return replace(found, parts=tuple(parts))

    def _transaction(self, pages: Pages, key: UUID) -> OneTransaction | None:
        found, problems = pages.transaction(key)
        _whole(problems if found is None else ())
        whole = found
        while found and found.next and whole:
            found, _ = pages.transaction(key, found.next)
            if found and found.part and whole.part:
                commands = (*whole.part.commands, *found.part.commands)
                whole = replace(whole, part=replace(whole.part, commands=commands))
        if whole and not whole.run and whole.part:
            self.entries.setdefault(key, _by_hand(whole, whole.part))
        return replace(whole, next=None) if whole else None

    def _objects(self) -> None:
        pages = Pages(self.fleet)
        for name in sorted(self.links.objects):
            found, problems = pages.life(name, Filter(database=self.wanted.database), limit=1_000)
            _whole(problems)
            self._page(f"objects/{file_name(name)}", "object", name=name, found=found, problems=())

    def _people(self) -> None:
        for name in sorted(self.links.people):
            entries = tuple(each for each in self.entries.values() if name in _names(each))
            runs = sum(each.run is not None for each in entries)
            self._page(
                f"people/{file_name(name)}",
                "person",
                wanted=Filter(person=name),
                timeline=Timeline(
                    entries=tuple(sorted(entries, key=lambda each: each.time, reverse=True)),
                    older=None,
                    runs=runs,
                    manual=len(entries) - runs,
                    exact=True,
                    problems=(),
                ),
                **known_as(name, entries),
            )

    def _page(self, file: str, template: str, /, **values: object) -> None:
        links = self.links.seen_from(file)
        several = len({each.database for each in self.entries.values()}) > 1
        html = Renderer(links).page(template, {"several": several, **values})
        (self.folder / file).write_text(html, encoding="utf-8")


def _whole(problems: tuple[object, ...]) -> None:
    for each in problems:
        raise TrailError(f"The site is not whole and was left unfinished: {getattr(each, 'reason', each)}")


def _entry(found: OneRun, parts: tuple[Part, ...]) -> Entry:
    return Entry(
        database=found.database,
        time=found.run.started_at,
        run=found.run,
        sender=None,
        parts=parts[:COMMANDS],
        more=max(0, len(parts) - COMMANDS),
    )


def _by_hand(found: OneTransaction, part: Part) -> Entry:
    return Entry(
        database=found.database, time=found.sender.time, run=None, sender=found.sender, parts=(part,), more=0
    )


def _names(entry: Entry) -> set[str]:
    """Under which keys the people of an entry are linked to."""
    claimed = people.claimed(entry.sender) if entry.sender else None
    return {each.key for each in (people.everybody(entry.run) if entry.run else ())} | (
        {claimed.key} if claimed else set()
    )


def _search_data(found: list[Entry]) -> str:
    """What the search looks through, as a script: a page from the file system may load no other data."""
    rows = [
        {
            "href": f"runs/{each.key}.html" if each.run else f"transactions/{each.key}.html",
            "title": title(each.run) if each.run else f"Changed by hand, as {_user(each)}",
            "time": each.time.isoformat(timespec="minutes"),
            "manual": each.run is None,
            "people": sorted({one.name for one in people.everybody(each.run)} if each.run else set()),
            "said": [plain(command.sentence) for part in each.parts for command in part.commands],
            "sql": "\n".join(command.text[:SEARCHED] for part in each.parts for command in part.commands),
        }
        for each in found
    ]
    # Not for HTML, but a file may be opened as anything.
    return f"window.TRAIL = {json.dumps(rows, ensure_ascii=True).replace('<', chr(92) + 'u003c')};\n"


def _user(entry: Entry) -> str:
    return entry.sender.database_user if entry.sender else ""
