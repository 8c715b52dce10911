"""Which page answers which address? The web application: GET only, no state."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from itertools import chain, islice
from pathlib import Path
from uuid import UUID

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from audit_action.dashboard import export, people
from audit_action.dashboard.filters import MAX_TEXT, Filter, Position
from audit_action.dashboard.fleet import Fleet, Problem
from audit_action.dashboard.links import WebLinks
from audit_action.dashboard.pages import Pages
from audit_action.dashboard.records import Entry
from audit_action.dashboard.rendering import Renderer
from audit_action.dashboard.security import Guard
from audit_action.errors import TrailError

STATIC = Path(__file__).parent / "static"


def create_app(fleet: Fleet, guard: Guard) -> Starlette:
    """The dashboard over these databases, let in by `guard`."""
    site = _Site(fleet)

    @asynccontextmanager
    async def opened(app: Starlette) -> AsyncIterator[None]:
        fleet.open()
        try:
            yield
        finally:
            fleet.close()

    app = Starlette(
        lifespan=opened,
        routes=[
            Route("/", site.timeline),
            Route("/run/{key:uuid}", site.run),
            Route("/transaction/{key:uuid}", site.transaction),
            Route("/object", site.life),
            Route("/person", site.person),
            Route("/state", site.state),
            Route("/export.csv", site.csv),
            Route("/export.jsonl", site.json_lines),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        exception_handlers={HTTPException: site.problem},
    )
    app.add_middleware(guard.middleware)
    return app


class _Site:
    """The pages as answers to requests. Plain functions: Starlette runs each in a thread of its own."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._pages = Pages(fleet)
        self._renderer = Renderer(WebLinks())
        self._several = len(fleet.databases) > 1

    def timeline(self, request: Request) -> Response:
        wanted = Filter.parse(request.query_params)
        found = self._pages.timeline(wanted)
        first = wanted.empty and not wanted.before
        choices = self._pages.choices()
        return self._page(
            "timeline",
            found.problems if not found.entries else (),
            wanted=wanted,
            timeline=found,
            choices=choices,
            several=len(choices.databases) > 1,
            bars=self._pages.chart() if first else (),
        )

    def run(self, request: Request) -> Response:
        key: UUID = request.path_params["key"]
        found, problems = self._pages.run(key, Position.parse(request.query_params.get("after", "")))
        if found is None:
            raise _missing("run", problems)
        return self._page("run", found=found)

    def transaction(self, request: Request) -> Response:
        key: UUID = request.path_params["key"]
        position = request.query_params.get("position", "")
        found, problems = self._pages.transaction(key, int(position) if position.isdecimal() else 1)
        if found is None:
            raise _missing("transaction", problems)
        return self._page("transaction", found=found)

    def life(self, request: Request) -> Response:
        name = request.query_params.get("name", "").replace("\0", "").strip()[:MAX_TEXT]
        if not name:
            raise HTTPException(404, "The address names no object: /object?name=public.users")
        found, problems = self._pages.life(name, Filter.parse(request.query_params))
        return self._page("object", problems if not found else (), name=name, found=found, problems=problems)

    def person(self, request: Request) -> Response:
        name = request.query_params.get("name", "").replace("\0", "").strip()[:MAX_TEXT]
        if not name:
            raise HTTPException(404, "The address names nobody: /person?name=ada")
        wanted = Filter(person=name, before=Position.parse(request.query_params.get("before", "")))
        found = self._pages.timeline(wanted)
        return self._page(
            "person",
            found.problems if not found.entries else (),
            wanted=wanted,
            timeline=found,
            **known_as(name, found.entries),
        )

    def state(self, request: Request) -> Response:
        states, problems = self._pages.state()
        return self._page("state", problems if not states else (), states=states, problems=problems)

    def csv(self, request: Request) -> Response:
        return self._download(request, export.csv_lines, "text/csv; charset=utf-8", "schema-history.csv")

    def json_lines(self, request: Request) -> Response:
        return self._download(request, export.json_lines, "application/x-ndjson", "schema-history.jsonl")

    def _download(
        self, request: Request, lines: Callable[[Iterable[export.Row]], Iterator[str]], kind: str, name: str
    ) -> Response:
        """The filter's events as a file. The first row is waited for: later only a cut tells a failure."""
        rows = export.rows(self._fleet, Filter.parse(request.query_params))
        try:
            first = list(islice(rows, 1))
        except TrailError as problem:
            raise HTTPException(503, str(problem)) from problem
        return StreamingResponse(
            lines(chain(first, rows)),
            media_type=kind,
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    def problem(self, request: Request, problem: Exception) -> Response:
        assert isinstance(problem, HTTPException)
        titles = {404: "Not found", 503: "No answer"}
        title = titles.get(problem.status_code, "This does not work")
        html = self._renderer.page("problem", {"title": title, "said": problem.detail})
        return HTMLResponse(html, problem.status_code, headers=dict(problem.headers or {}))

    def _page(self, template: str, failed: tuple[Problem, ...] = (), **values: object) -> Response:
        """The page; 503 where no database could be asked, so that a monitor notices too."""
        html = self._renderer.page(template, {"several": self._several, **values})
        return HTMLResponse(html, 503 if failed else 200)


def known_as(name: str, entries: tuple[Entry, ...]) -> Mapping[str, object]:
    """The person that was asked for as the entries know them, and how often they did what."""
    person = people.named(name)
    roles: Counter[str] = Counter()
    for each in entries:
        shown = people.everybody(each.run) if each.run else ()
        claimed = people.claimed(each.sender) if each.sender else None
        for one in (*shown, *([claimed] if claimed else [])):
            if name in (one.key, one.name, one.login):
                person = one if one.name != one.login or person.login == name else person
                roles.update({part.partition(" #")[0] for part in one.parts})
    return {"person": person, "roles": tuple(roles.most_common())}


def _missing(what: str, problems: tuple[Problem, ...]) -> HTTPException:
    if problems:
        named = ", ".join(each.database for each in problems)
        return HTTPException(
            503, f"No {what} of that id was found, but not every database answered: {named}."
        )
    return HTTPException(404, f"There is no {what} of that id in the databases shown here.")
