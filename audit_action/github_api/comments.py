"""How is one pull-request comment kept up to date, by several runs at once, and never posted twice?"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from github.Issue import Issue

from audit_action.errors import CannotComment, CommentTooLong
from audit_action.github_api import queries
from audit_action.github_api.client import Client, Refused, Why, partial_refusal
from audit_action.json_paths import at, flag, items, moment, number, text
from audit_action.model import Json

_BEGIN, _END = "<!-- schema-audit-action:v1 ", " -->"
_GITHUB_ACTIONS = "github-actions[bot]"  # who GITHUB_TOKEN writes as
_PERMISSION = "pull-requests: write"
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Comment:
    id: int
    url: str
    run: tuple[int, int]  # id and attempt of the run that wrote it last
    created_at: datetime


def marker(key: str, run_id: int, run_attempt: int) -> str:
    """The hidden first line of a comment of ours. Nothing in `key` can end the HTML comment.

    >>> marker("production/shop", 5, 1)
    '<!-- schema-audit-action:v1 {"key": "production/shop", "run": 5, "attempt": 1} -->'
    """
    written = json.dumps({"key": key, "run": run_id, "attempt": run_attempt})
    return _BEGIN + written.replace("<", "\\u003c").replace(">", "\\u003e") + _END


def _read_marker(body: str) -> tuple[str, tuple[int, int]] | None:
    first = body.partition("\n")[0].strip()
    if not (first.startswith(_BEGIN) and first.endswith(_END)):
        return None
    try:
        found: Json = json.loads(first[len(_BEGIN) : -len(_END)])
    except ValueError:
        return None
    return text(found, "key"), (number(found, "run") or 0, number(found, "attempt") or 0)


def upsert(
    client: Client, repository: str, pull: int, *, key: str, body: str, run_id: int, run_attempt: int
) -> str:
    """Write the comment, or bring the one of an earlier run up to date; its address.

    Ours is what this token wrote and what begins with the marker of that key: anybody can write a marker.
    Of several, which runs at the same moment may make, the oldest is kept. A later run's comment stays.
    Raises CannotComment; CommentTooLong where a shorter body may do.
    """
    sticky = _Sticky(client=client, repository=repository, pull=pull, key=key, run=(run_id, run_attempt))
    try:
        return sticky.upsert(f"{marker(key, run_id, run_attempt)}\n{body}")
    except Refused as refused:
        kind = CommentTooLong if refused.why is Why.TOO_LONG else CannotComment
        raise kind(_explained(pull, refused)) from refused


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sticky:
    """The comments of one key on one pull request, as one run sees them."""

    client: Client
    repository: str
    pull: int
    key: str
    run: tuple[int, int]

    def upsert(self, body: str) -> str:
        ours = self._listed()
        if not ours:
            created = self._create(body)
            # Another run may have done the same in this moment: all of them see the same oldest one.
            ours = self._listed() or [created]
            if ours[0].id == created.id:
                self._delete(ours[1:])
                return created.url
        kept = ours[0]
        if max(each.run for each in ours) <= self.run:
            self.client.change(lambda: self._issue().get_comment(kept.id).edit(body))
            self._delete(ours[1:])
        return kept.url

    def _create(self, body: str) -> _Comment:
        """Post it, never twice: after a failure that may have come too late, what is there counts."""
        try:
            return self._post(body)
        except Refused as refused:
            if refused.why is not Why.OVERLOADED:
                raise
        there = self._listed()
        return there[0] if there else self._post(body)

    def _post(self, body: str) -> _Comment:
        def post() -> _Comment:
            made = self._issue().create_comment(body)
            if not made.html_url:
                raise Refused("GitHub's answer could not be read", why=Why.OVERLOADED)
            return _Comment(id=made.id, url=made.html_url, run=self.run, created_at=made.created_at)

        return self.client.change(post)

    def _delete(self, comments: list[_Comment]) -> None:
        for each in comments:
            try:
                self.client.change(partial(self._delete_one, each.id))
            except Refused as refused:
                if refused.why is not Why.NOT_FOUND:  # another run was faster
                    raise

    def _delete_one(self, comment: int) -> None:
        self._issue().get_comment(comment).delete()

    def _issue(self) -> Issue:
        """Lazy: naming it is no request."""
        return self.client.write.get_repo(self.repository).get_issue(self.pull)

    def _listed(self) -> list[_Comment]:
        """Ours, the oldest first."""
        try:
            found = self._listed_by_graphql()
        except Refused as refused:
            if refused.why is not Why.UNSUPPORTED:
                raise
            found = self._listed_by_rest()
        return sorted(found, key=lambda each: (each.created_at, each.id))

    def _listed_by_graphql(self) -> list[_Comment]:
        owner, _, name = self.repository.partition("/")
        variables: dict[str, Json] = {"owner": owner, "name": name, "number": self.pull, "cursor": None}
        found: list[_Comment] = []
        while True:
            data, errors = self.client.query(queries.COMMENTS, variables)
            if errors:
                raise partial_refusal(errors[0])
            page = at(data, "repository", "pullRequest", "comments")
            own = (each for each in items(page, "nodes") if flag(each, "viewerDidAuthor"))
            found += self._of_key(own, "fullDatabaseId", "createdAt", "url")
            if not flag(page, "pageInfo", "hasNextPage"):
                return found
            variables["cursor"] = text(page, "pageInfo", "endCursor")

    def _listed_by_rest(self) -> list[_Comment]:
        """For a server whose GraphQL does not know a field; REST does not tell who we are."""
        try:
            login = text(self.client.get("/user"), "login")
        except Refused:
            login = _GITHUB_ACTIONS  # the token of a job belongs to no user
        path = f"/repos/{self.repository}/issues/{self.pull}/comments"
        pages = self.client.pages(path, per_page=100)
        own = (each for page in pages for each in items(page) if text(each, "user", "login") == login)
        return self._of_key(own, "id", "created_at", "html_url")

    def _of_key(self, comments: Iterable[Json], number_: str, created: str, url: str) -> list[_Comment]:
        return [
            _Comment(
                id=number(each, number_) or 0,
                url=text(each, url),
                run=found[1],
                created_at=moment(each, created) or _NEVER,
            )
            for each in comments
            if (found := _read_marker(text(each, "body"))) and found[0] == self.key
        ]


def _explained(pull: int, refused: Refused) -> str:
    """The refusal in a sentence, with what would help.

    Tokens of forks and of Dependabot are read-only, whatever the workflow asks for:
    https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows
    """
    said = f"The comment on pull request #{pull} could not be written: {refused.reason}."
    if "locked" in refused.reason:
        return f"{said} Its conversation is locked; the job summary has the whole report."
    if refused.permission is None or "not accessible" in refused.reason:
        needed = f"Give the job `permissions: {{{_PERMISSION}}}`"
        return f"{said} {needed}; pull requests from forks and of Dependabot get no such right."
    return f"{said} The job summary has the whole report."
