"""Which questions can be asked of GitHub? Each answer is a record; each refusal is a record too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from urllib.parse import quote

from audit_action.github_api import comments, parse, queries
from audit_action.github_api.client import Client, Refused, Why, partial_refusal
from audit_action.github_facts import CommitFacts, Comparison, Found, PullRequestFacts, RunFacts
from audit_action.json_paths import at, flag, items, text
from audit_action.model import Approver, Json, Unavailable

_COMMITS_AT_ONCE = 50  # 150 lists: two points of GraphQL's rate limit
_PULL_REQUESTS_AT_ONCE = 10  # halved when it takes GitHub too long
_COMMENT_SECONDS = 60.0

READ_CONTENTS = "contents: read"
READ_PULL_REQUESTS = "pull-requests: read"
READ_ACTIONS = "actions: read"
READ_DEPLOYMENTS = "deployments: read"


class GitHub:
    """GitHub's API, at github.com or on a GitHub Enterprise Server.

    `api_url` is GITHUB_API_URL, `timeout` the seconds that a server may be silent, `ca_bundle` a file of
    certificates for a private authority. Nothing but CannotComment is raised.
    """

    def __init__(self, *, token: str, api_url: str, timeout: int = 10, ca_bundle: str = "") -> None:
        self._client = Client(token=token, api_url=api_url, timeout=timeout, ca_bundle=ca_bundle)

    def budget(self, seconds: float) -> AbstractContextManager[None]:
        """All questions inside the `with` take no longer than that together."""
        return self._client.budget(seconds)

    def compare(self, repository: str, base: str, head: str) -> Comparison | Unavailable | None:
        """The commits of base...head; None when one of them is gone, or they have no common ancestor.

        Paged, so that it passes the 250 commits of one answer: `total` says how many there are.
        https://docs.github.com/en/rest/commits/commits#compare-two-commits
        """
        path = f"/repos/{repository}/compare/{quote(base, safe='')}...{quote(head, safe='')}"
        try:
            return parse.comparison(self._client.pages(path, per_page=250, page=1))
        except Refused as refused:
            return None if refused.why is Why.NOT_FOUND else refused.of("commits", READ_CONTENTS)
        except ValueError:
            return Unavailable(field="commits", reason="GitHub's comparison could not be read")

    def commits(self, repository: str, shas: Sequence[str]) -> Found:
        """These commits with GitHub's co-authors and the pull requests that contain them."""
        found, missing = self._batches(
            repository, "c", shas, _COMMITS_AT_ONCE, queries.commits, READ_CONTENTS
        )
        return Found(commits=tuple(parse.commit(each) for each in found), unavailable=missing)

    def pull_requests(self, repository: str, numbers: Sequence[int]) -> Found:
        """These pull requests with all their commits, reviews and what happened to them."""
        found, missing = self._batches(
            repository, "p", numbers, _PULL_REQUESTS_AT_ONCE, queries.pull_requests, READ_PULL_REQUESTS
        )
        read = [self._whole(repository, each) for each in found]
        return Found(
            pull_requests=tuple(pull for pull, _ in read),
            unavailable=missing + tuple(lack for _, lacks in read for lack in lacks),
        )

    def last_deployment(self, repository: str, environment: str, not_of_run: int | None) -> str | Unavailable:
        """The commit of the newest successful deployment of that environment; empty when there is none.

        The deployment that GitHub made for our own job is in the list already: it is left out.
        """
        variables = {**_names(repository), "environment": environment}
        try:
            data, errors = self._client.query(queries.LAST_DEPLOYMENTS, variables)
        except Refused as refused:
            return refused.of("range", READ_DEPLOYMENTS)
        if errors:
            return partial_refusal(errors[0]).of("range", READ_DEPLOYMENTS)
        own = f"/actions/runs/{not_of_run}"
        for each in items(data, "repository", "deployments", "nodes"):
            log = text(each, "latestStatus", "logUrl") + "/"
            if text(each, "state") in ("ACTIVE", "SUCCESS") and not (not_of_run and f"{own}/" in log):
                return text(each, "commitOid")
        return ""

    def last_workflow_run(self, repository: str, workflow: str, **only: str) -> str | Unavailable:
        """The head commit of the newest successful run of that workflow file; empty when there is none.

        `only`: `branch` or `event`, as in
        https://docs.github.com/en/rest/actions/workflow-runs#list-workflow-runs-for-a-workflow
        """
        path = f"/repos/{repository}/actions/workflows/{quote(workflow, safe='')}/runs"
        try:
            listed = self._client.get(
                path, status="success", per_page=1, exclude_pull_requests="true", **only
            )
        except Refused as refused:
            return "" if refused.why is Why.NOT_FOUND else refused.of("range", READ_ACTIONS)
        return text(listed, "workflow_runs", 0, "head_sha")

    def approvers(
        self, repository: str, run_id: int, attempt: int | None
    ) -> tuple[Approver, ...] | Unavailable:
        """Who let this run into a protected environment, as seen in that attempt.

        https://docs.github.com/en/rest/actions/workflow-runs#get-the-review-history-for-a-workflow-run
        """
        try:
            listed = self._client.get(f"/repos/{repository}/actions/runs/{run_id}/approvals")
        except Refused as refused:
            return refused.of("approvers", READ_ACTIONS)
        return parse.approvers(items(listed), attempt)

    def attempt(self, repository: str, run_id: int, attempt: int) -> RunFacts | Unavailable:
        """Who started that attempt of the run."""
        try:
            run = self._client.get(f"/repos/{repository}/actions/runs/{run_id}/attempts/{attempt}")
        except Refused as refused:
            return refused.of("rerun_by", READ_ACTIONS)
        return RunFacts(
            attempt=attempt,
            actor=text(run, "actor", "login"),
            triggering_actor=text(run, "triggering_actor", "login"),
        )

    def upsert_comment(
        self, repository: str, pull: int, *, key: str, body: str, run_id: int, run_attempt: int
    ) -> str:
        """The address of our comment on that pull request, written or brought up to date.

        One for each `key`; a later run's is left alone. Raises CannotComment, with the missing permission.
        """
        with self._client.budget(_COMMENT_SECONDS):
            return comments.upsert(
                self._client, repository, pull, key=key, body=body, run_id=run_id, run_attempt=run_attempt
            )

    def _batches(
        self,
        repository: str,
        alias: str,
        keys: Sequence[str | int],
        size: int,
        document: Callable[[int], str],
        permission: str,
    ) -> tuple[list[Json], tuple[Unavailable, ...]]:
        """The things of those keys, so many in one query; half as many when that takes GitHub too long."""
        field = "pull_requests" if alias == "p" else "commits"
        found: list[Json] = []
        missing: dict[Unavailable, None] = {}
        waiting = [keys[start : start + size] for start in range(0, len(keys), size)]
        while waiting:
            batch = waiting.pop(0)
            variables = _names(repository)
            variables |= {f"k{n}": key for n, key in enumerate(batch)}
            try:
                data, errors = self._client.query(document(len(batch)), variables)
            except Refused as refused:
                if refused.why is Why.OVERLOADED and len(batch) > 1:
                    half = len(batch) // 2
                    waiting[:0] = [batch[:half], batch[half:]]
                else:
                    missing[refused.of(field, permission)] = None
                continue
            answers = (at(data, "repository", f"{alias}{n}") for n in range(len(batch)))
            found += [each for each in answers if each]
            missing.update((_missing_part(error, field, permission), None) for error in errors)
        return found, tuple(missing)

    def _whole(self, repository: str, value: Json) -> tuple[PullRequestFacts, tuple[Unavailable, ...]]:
        """The pull request with the commits and reviews of its later pages."""
        pull = parse.pull_request(value)
        lacks: list[Unavailable] = []
        try:
            cursor = _cursor(value, "commits", "hasNextPage", "endCursor")
            commits: list[CommitFacts] = []
            while cursor:
                page = self._more(queries.MORE_COMMITS, repository, pull.number, cursor)
                commits += [parse.commit(at(each, "commit")) for each in items(page, "commits", "nodes")]
                cursor = _cursor(page, "commits", "hasNextPage", "endCursor")
            pull = replace(pull, commits=pull.commits + tuple(commits))
            cursor = _cursor(value, "reviews", "hasPreviousPage", "startCursor")
            while cursor:
                page = self._more(queries.MORE_REVIEWS, repository, pull.number, cursor)
                earlier = parse.reviews(items(page, "reviews", "nodes"))
                pull = replace(pull, reviews=earlier + pull.reviews)
                cursor = _cursor(page, "reviews", "hasPreviousPage", "startCursor")
        except Refused as refused:
            lacks.append(refused.of("pull_requests", READ_PULL_REQUESTS))
        if len(pull.commits) < pull.commits_total:
            seen = f"{len(pull.commits)} of {pull.commits_total} commits of #{pull.number}"
            lacks.append(Unavailable(field="authors", reason=f"GitHub showed {seen}"))
        return pull, tuple(lacks)

    def _more(self, document: str, repository: str, pull: int, cursor: str) -> Json:
        variables = {**_names(repository), "number": pull, "cursor": cursor}
        data, errors = self._client.query(document, variables)
        if errors:
            raise partial_refusal(errors[0])
        return at(data, "repository", "pullRequest")


def _names(repository: str) -> dict[str, Json]:
    owner, _, name = repository.partition("/")
    return {"owner": owner, "name": name}


def _cursor(value: Json, connection: str, more: str, cursor: str) -> str:
    return text(value, connection, "pageInfo", cursor) if flag(value, connection, "pageInfo", more) else ""


# A refused field of GraphQL, and what of ours it takes along.
_FIELD_OF = {
    "associatedPullRequests": ("pull_requests", READ_PULL_REQUESTS),
    "reviews": ("reviewers", READ_PULL_REQUESTS),
    "latestOpinionatedReviews": ("reviewers", READ_PULL_REQUESTS),
    "timelineItems": ("mergers", READ_PULL_REQUESTS),
    "mergedBy": ("mergers", READ_PULL_REQUESTS),
}


def _missing_part(error: Json, field: str, permission: str) -> Unavailable:
    for step in items(error, "path"):
        if isinstance(step, str) and step in _FIELD_OF:
            field, permission = _FIELD_OF[step]
    return partial_refusal(error).of(field, permission)
