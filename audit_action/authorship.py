"""Who is behind the commits, and what is their part? Each person once, with every role and a count."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field

from audit_action.identity import People
from audit_action.model import Author, AuthorRole, Commit, Person


@dataclass(slots=True)
class _Part:
    """What one person did, while it is being counted."""

    person: Person
    roles: dict[AuthorRole, None] = field(default_factory=dict)
    commits: set[str] = field(default_factory=set)


def behind(
    commits: tuple[Commit, ...],
    originals: Mapping[str, tuple[Commit, ...]],
    people: People,
    rebased_by: Mapping[str, Hashable],
) -> tuple[Author, ...]:
    """Everybody behind the commits, in the order in which they first appear.

    Those of a squashed pull request count with their own commits: the squash shows only one author. A merge
    made on GitHub is nobody's work. A committer counts where it is another than the author, and not just
    the one who merged by a rebase.
    """
    parts: dict[Hashable, _Part] = {}

    def count(person: Person, role: AuthorRole, sha: str) -> None:
        part = parts.setdefault(people.key(person), _Part(person))
        part.roles[role] = None
        part.commits.add(sha)

    for deployed in commits:
        before = originals.get(deployed.sha, ())
        for commit in before or (deployed,):
            for place, person in enumerate(_workers(commit)):
                count(person, AuthorRole.CO_AUTHOR if place else AuthorRole.AUTHOR, commit.sha)
            if commit.committer and people.key(commit.committer) != rebased_by.get(commit.sha):
                count(commit.committer, AuthorRole.COMMITTER, commit.sha)
        for place, person in enumerate(_workers(deployed) if before else ()):
            if people.key(person) not in parts:  # named in the squash alone
                count(person, AuthorRole.CO_AUTHOR if place else AuthorRole.AUTHOR, deployed.sha)
    return tuple(
        Author(person=part.person, roles=tuple(part.roles), commits=len(part.commits))
        for part in parts.values()
    )


def _workers(commit: Commit) -> tuple[Person, ...]:
    return () if commit.made_by_github and commit.parents > 1 else commit.authors
