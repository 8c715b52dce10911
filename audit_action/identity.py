"""Which names, e-mails and accounts are one person? Only those of which GitHub says so."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

from audit_action.commit_message import person_of
from audit_action.model import Person, PersonKind


class People:
    """Everybody who is named anywhere in one deployment, each human once.

    One account is one person, whatever its names and e-mails. A name and e-mail without an account are the
    account that GitHub matched to that e-mail elsewhere in the same deployment; else they are somebody of
    their own. Two deleted accounts, or two commits without any name, are never one person: nobody knows.
    """

    def __init__(self, everybody: Iterable[Person]) -> None:
        people = tuple(everybody)
        ids: dict[str, set[int]] = {}
        for person in people:
            if person.login and person.id is not None and person.kind is not PersonKind.GHOST:
                ids.setdefault(person.login.casefold(), set()).add(person.id)
        self._ids = _unambiguous(ids)
        # GitHub's own word first: an address names the login of the day the commit was made.
        sure = [*people, *(_named_by_address(person) for person in people)]
        self._accounts: dict[Hashable, Person] = {}
        owners: dict[str, set[Hashable]] = {}
        for person in sure:
            key = self._account_key(person)
            if key is None:
                continue
            known = self._accounts.setdefault(key, person)
            self._accounts[key] = replace(
                known,
                name=known.name or person.name,
                email=known.email or person.email,
                login=known.login or person.login,
                id=known.id if known.id is not None else person.id,
            )
            if person.email:
                owners.setdefault(person.email.casefold(), set()).add(key)
        self._owner = _unambiguous(owners)

    def key(self, person: Person) -> Hashable:
        """Equal for two mentions exactly when they are known to be the same person."""
        key = self._account_key(_named_by_address(person))
        if key is not None:
            return key
        if person.kind is PersonKind.GHOST or not (person.name or person.email):
            return object()
        claimed = person.email.casefold()
        return self._owner.get(claimed, (person.name, claimed))

    def known(self, person: Person) -> Person:
        """The person with all that is known of them; their own name and e-mail where they gave one."""
        account = self._accounts.get(self.key(person))
        if account is None:
            return person
        return replace(account, name=person.name or account.name, email=person.email or account.email)

    def once(self, people: Iterable[Person]) -> tuple[Person, ...]:
        """The people in order, each once."""
        found: dict[Hashable, Person] = {}
        for person in people:
            found.setdefault(self.key(person), self.known(person))
        return tuple(found.values())

    def _account_key(self, person: Person) -> Hashable:
        if person.kind is PersonKind.GHOST:
            return None
        if person.id is not None:
            return person.id
        if not person.login:
            return None
        login = person.login.casefold()
        return self._ids.get(login, login)


Value = TypeVar("Value")


def _unambiguous(found: Mapping[str, set[Value]]) -> dict[str, Value]:
    """A login that was given to somebody else, or an e-mail that two accounts use, tells nothing."""
    return {key: next(iter(values)) for key, values in found.items() if len(values) == 1}


def _named_by_address(person: Person) -> Person:
    """A commit's person with the account that a noreply address names."""
    if person.kind is not PersonKind.UNMATCHED:
        return person
    return person_of(person.name, person.email)
