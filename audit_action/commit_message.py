"""What does a commit say about people and other commits? Its message, its e-mail addresses, a git log."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from audit_action.github_facts import CommitFacts
from audit_action.model import Person, PersonKind

# A line of its own anywhere in the message: git takes only the last paragraph as trailers, but a squash
# list puts the trailers of each squashed commit in the middle.
_CO_AUTHOR = re.compile(r"^[ \t]*co-authored-by:[ \t]*([^<>\n]*?)[ \t]*<([^<>\n]*)>[ \t\r]*$", re.I | re.M)
_REVERTS = re.compile(r"^This reverts commit ([0-9a-f]{7,64})\b", re.M)  # the text git revert writes
_PICKED = re.compile(r"^\(cherry picked from commit ([0-9a-f]{7,64})\)[ \t\r]*$", re.M)  # git cherry-pick -x
# The numbers GitHub itself writes: a merge's first line, and the end of a squash's or a squash list's line.
_MERGED = re.compile(r"^Merge pull request #(\d{1,9})\b")
_SQUASHED = re.compile(r"\(#(\d{1,9})\)[ \t\r]*$", re.M)
# https://docs.github.com/en/account-and-profile/reference/email-addresses-reference: ID+login@, and login@
# for accounts from before 18 July 2017; a GitHub Enterprise Server has its own host name at the end.
_NOREPLY = re.compile(r"(?:(\d+)\+)?([A-Za-z0-9][A-Za-z0-9-_]*)(\[bot\])?@users\.noreply\.[A-Za-z0-9.-]+")

# The fields of `git log` below, one NUL after each; a message cannot hold a NUL.
_LOG_FIELDS = "%H%x00%P%x00%an%x00%ae%x00%cn%x00%ce%x00%cI%x00%B%x00"
GITHUB_EMAIL = "noreply@github.com"  # the committer of what is made on the web

# The checkout belongs to the runner's user, the container runs as root; and what an earlier step wrote into
# .git/config must start nothing here: no fetch of missing objects by its own command, no signature program.
_GIT = ("env", "GIT_ALLOW_PROTOCOL=none", "git", "-c", "safe.directory=*")
HEAD_ARGUMENTS = (*_GIT, "rev-parse", "HEAD")
_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def is_sha(text: str) -> bool:
    """Whether it is a full object name, and so safe to hand to git and to an address.

    >>> is_sha("d" * 40), is_sha("--output=x"), is_sha("0" * 40)
    (True, False, False)
    """
    return bool(_SHA.fullmatch(text)) and bool(text.strip("0"))


def person_of(name: str, email: str) -> Person:
    """The person as git names them; a noreply address tells GitHub's login, and often the numeric id.

    >>> person_of("Ada", "7+ada@users.noreply.github.com").login
    'ada'
    >>> person_of("Ada", "ada@example.org").kind
    <PersonKind.UNMATCHED: 'unmatched'>
    """
    name, email = name.strip(), email.strip()
    match = _NOREPLY.fullmatch(email)
    if match is None:
        return Person(name=name, email=email, kind=PersonKind.UNMATCHED)
    number, login, bot = match.groups()
    kind = PersonKind.BOT if bot else PersonKind.USER
    return Person(name=name, email=email, login=login, id=int(number) if number else None, kind=kind)


def co_authors(message: str) -> tuple[Person, ...]:
    """The people of every `Co-authored-by:` line, in order, each address once.

    >>> [person.name for person in co_authors("Add x\\n\\nCo-authored-by: Ada L <ada@example.org>")]
    ['Ada L']
    """
    found = {match[2].strip().casefold(): match for match in reversed([*_CO_AUTHOR.finditer(message)])}
    people = [person_of(match[1], match[2]) for match in reversed(found.values()) if match[1] or match[2]]
    return tuple(people)


def headline(message: str) -> str:
    """The first line that is not empty."""
    return next((line.strip() for line in message.splitlines() if line.strip()), "")


def is_merge(message: str) -> bool:
    """Whether it has the first line that GitHub gives the merge commit of a pull request."""
    return bool(_MERGED.match(message.lstrip()))


def reverted(message: str) -> str:
    """The commit that this one says it reverts, or empty text."""
    match = _REVERTS.search(message)
    return match[1] if match else ""


def picked_from(message: str) -> str:
    """The commit that this one says it was cherry-picked from (the last of several), or empty text."""
    found = _PICKED.findall(message)
    return found[-1] if found else ""


def named_pull_requests(message: str) -> tuple[int, ...]:
    """The pull requests that the message names where GitHub writes them: a claim, to be checked.

    >>> named_pull_requests("Merge pull request #12 from ada/x"), named_pull_requests("Fix #4 (#15)")
    ((12,), (15,))
    """
    merged = _MERGED.findall(message.lstrip())
    return tuple(dict.fromkeys(int(number) for number in [*merged, *_SQUASHED.findall(message)]))


def log_arguments(base: str, head: str) -> tuple[str, ...]:
    """The git command that lists base..head, or the head alone; `read_log` reads what it prints.

    Raises ValueError for anything but full object names: nothing else may reach a command line.
    """
    if not is_sha(head) or (base and not is_sha(base)):
        raise ValueError("not a full object name")
    limit = (f"{base}..{head}",) if base else ("--max-count=1", head)
    reverse = ("--topo-order", "--reverse", "--no-color", "--no-show-signature")
    return (*_GIT, "log", *reverse, f"--format=format:{_LOG_FIELDS}", *limit, "--")


def read_log(text: str) -> tuple[CommitFacts, ...]:
    """The commits that `git log` printed, oldest first. Raises ValueError when it printed something else."""
    if not text:
        return ()
    fields = text.split("\0")[:-1]
    if len(fields) % 8:
        raise ValueError("git log printed something else than it was asked for")
    return tuple(_logged(fields[start : start + 8]) for start in range(0, len(fields), 8))


def _logged(fields: Sequence[str]) -> CommitFacts:
    sha, parents, author, author_email, committer, committer_email, date, message = fields
    people = (person_of(author, author_email), *co_authors(message))
    return CommitFacts(
        sha=sha.strip(),
        message=message,
        authors=people,
        committer=person_of(committer, committer_email),
        committed_at=datetime.fromisoformat(date),
        parents=tuple(parents.split()),
        made_by_github=committer_email == GITHUB_EMAIL,
    )
