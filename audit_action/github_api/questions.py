"""Which questions can be asked of GitHub? Each answer is a record; each refusal is a record too."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from urllib.parse import quote

from audit_action.github_api import comments, graphql, parse, queries, rest
from audit_action.github_api.client import (
    READ_ACTIONS,
    READ_CONTENTS,
    READ_DEPLOYMENTS,
    Client,
    Refused,
    Why,
    partial_refusal,
)
from audit_action.github_facts import Comparison, Found, RunFacts
from audit_action.json_paths import items, text
from audit_action.model import Approver, Unavailable

_COMMENT_SECONDS = 60.0


class GitHub:
    """GitHub's API, at github.com or on a GitHub Enterprise Server.

    `api_url` is GITHUB_API_URL, `timeout` the seconds that a server may be silent. A proxy and a private
    authority come from the variables that requests reads: `https_proxy`, `REQUESTS_CA_BUNDLE`. Nothing but
    CannotComment is raised.
    """

    def __init__(self, *, token: str, api_url: str, timeout: int = 10) -> None:
        self._client = Client(token=token, api_url=api_url, timeout=timeout)

    def budget(self, seconds: float) -> AbstractContextManager[None]:
        """All questions inside the `with` take no longer than that together."""
        return self._client.budget(seconds)

    def compare(self, repository: str, base: str, head: str) -> Comparison | Unavailable | None:
        """The commits of base...head; None when one of them is gone, or they have no common ancestor.

        One answer holds the newest 250; where there are more, all are read again in pages, oldest first:
        https://docs.github.com/en/rest/commits/commits#compare-two-commits
        """
        path = f"/repos/{repository}/compare/{quote(base, safe='')}...{quote(head, safe='')}"
        try:
            found = parse.comparison((self._client.get(path),))
            if len(found.commits) < found.total:
                found = parse.comparison(self._client.pages(path, per_page=100, page=1))
            return found
        except Refused as refused:
            return None if refused.why is Why.NOT_FOUND else refused.of("commits", READ_CONTENTS)
        except ValueError:
            return Unavailable(field="commits", reason="GitHub's comparison could not be read")

    def commits(self, repository: str, shas: Sequence[str]) -> Found:
        """These commits with GitHub's co-authors and the pull requests that contain them."""
        try:
            return graphql.commits(self._client, repository, shas)
        except Refused:
            return rest.commits(self._client, repository, shas)

    def pull_requests(self, repository: str, numbers: Sequence[int]) -> Found:
        """These pull requests with all their commits, reviews and what happened to them.

        One that does not exist is left out: a commit message can name any number.
        """
        try:
            return graphql.pull_requests(self._client, repository, numbers)
        except Refused:
            return rest.pull_requests(self._client, repository, numbers)

    def last_deployment(self, repository: str, environment: str, not_of_run: int | None) -> str | Unavailable:
        """The commit of the newest successful deployment of that environment; empty when there is none.

        The deployment that GitHub made for our own job is in the list already: it is left out.
        """
        variables = graphql.names(repository) | {"environment": environment}
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
        if not isinstance(listed, list):
            return Unavailable(field="approvers", reason="GitHub's answer could not be read")
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
