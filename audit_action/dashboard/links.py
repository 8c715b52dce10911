"""Where does each page stand? Addresses for the web server; the static site has its own of the same shape."""

from __future__ import annotations

from typing import Protocol
from urllib.parse import quote
from uuid import UUID

from audit_action.dashboard.filters import Filter


class Links(Protocol):
    """The address of every page, as seen from the page that shows it."""

    live: bool  # a server answers: filters, exports and the state can be asked for

    def timeline(self, wanted: Filter) -> str:
        """The timeline with this filter."""

    def run(self, key: UUID) -> str:
        """A migration run."""

    def transaction(self, key: UUID) -> str:
        """A transaction."""

    def object(self, name: str) -> str:
        """An object's life; empty where there is no such page."""

    def person(self, key: str) -> str:
        """A person."""

    def asset(self, name: str) -> str:
        """A file of the folder static."""


class WebLinks:
    """The pages of the web server."""

    live = True

    def timeline(self, wanted: Filter) -> str:
        """The timeline with this filter."""
        query = wanted.address()
        return f"/?{query}" if query else "/"

    def run(self, key: UUID) -> str:
        """A migration run."""
        return f"/run/{key}"

    def transaction(self, key: UUID) -> str:
        """A transaction."""
        return f"/transaction/{key}"

    def object(self, name: str) -> str:
        """An object's life."""
        return f"/object?name={quote(name, safe='.')}"

    def person(self, key: str) -> str:
        """A person."""
        return f"/person?name={quote(key, safe='@.')}"

    def asset(self, name: str) -> str:
        """A file of the folder static."""
        return f"/static/{name}"
