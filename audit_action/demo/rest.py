"""Which REST requests does the stand-in answer? Routes over a world, paged with Link headers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from audit_action.demo import answers
from audit_action.demo.told import Comment
from audit_action.demo.world import World
from audit_action.model import Json


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back, after so many seconds. A body that is text is sent as it is."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0


class Rest:
    """REST's routes."""

    def __init__(self, world: World, page_size: int, base: str) -> None:
        self.world, self.page_size, self.base = world, page_size, base

    def answer(self, method: str, path: str, query: dict[str, str], sent: Any) -> Answer:
        if path == "/user":
            return self.viewer()
        found = re.fullmatch(rf"/repos/{re.escape(self.world.repository)}(/.*)", path, re.I)
        for pattern, route in _ROUTES.items():
            match = re.fullmatch(pattern, f"{method} {found[1]}") if found else None
            if match:
                return route(self, path, query, sent, *match.groups())
        return Answer(404, {"message": "Not Found", "documentation_url": "https://docs.github.com/rest"})

    def viewer(self) -> Answer:
        if self.world.viewer.type == "Bot":
            return Answer(403, {"message": "Resource not accessible by integration"})
        return Answer(200, answers.user(self.world.viewer))

    def compare(self, path: str, query: dict[str, str], sent: Any, base: str, head: str) -> Answer:
        found = answers.comparison(self.world, base, head)
        if found is None:
            return Answer(404, {"message": "Not Found" if base not in self.world.changes else _UNRELATED})
        commits = found["commits"]
        assert isinstance(commits, list)
        if not {"page", "per_page"} & set(query):  # the newest of them, and no word of more
            return Answer(200, found | {"commits": commits[-(250 if self.page_size == 100 else 1) :]})
        page, headers = self.page(path, query, commits, 100)
        return Answer(200, found | {"commits": page}, headers)

    def runs(self, path: str, query: dict[str, str], sent: Any, workflow: str) -> Answer:
        only = {"branch": "branch", "event": "event", "status": "status"}
        listed = [
            answers.run(each, max(1, len(each.attempts)))
            for each in reversed(self.world.runs)
            if each.workflow == workflow
            and all(getattr(each, name) == query[key] for key, name in only.items() if key in query)
        ]
        page, headers = self.page(path, query, listed, 100)
        return Answer(200, {"total_count": len(listed), "workflow_runs": page}, headers)

    def attempt(self, path: str, query: dict[str, str], sent: Any, run: str, attempt: str) -> Answer:
        for each in self.world.runs:
            if each.id == int(run) and int(attempt) <= len(each.attempts):
                return Answer(200, answers.run(each, int(attempt)))
        return Answer(404, {"message": "Not Found"})

    def approvals(self, path: str, query: dict[str, str], sent: Any, run: str) -> Answer:
        return Answer(200, answers.approvals(self.world, int(run)))

    def commit(self, path: str, query: dict[str, str], sent: Any, sha: str) -> Answer:
        change = self.world.changes.get(sha)
        if change is None:
            return Answer(422, {"message": f"No commit found for SHA: {sha}"})
        return Answer(200, answers.commit(self.world, change))

    def pulls_of_commit(self, path: str, query: dict[str, str], sent: Any, sha: str) -> Answer:
        listed = [answers.pull(self.world, each, item=True) for each in self.world.pulls_with(sha)]
        page, headers = self.page(path, query, listed, 30)
        return Answer(200, page, headers)

    def pull(self, path: str, query: dict[str, str], sent: Any, number: str) -> Answer:
        return Answer(200, answers.pull(self.world, self.world.pulls[int(number)]))

    def pull_commits(self, path: str, query: dict[str, str], sent: Any, number: str) -> Answer:
        shas = self.world.pulls[int(number)].commits[:250]  # GitHub lists no more
        listed = [answers.commit(self.world, self.world.changes[each]) for each in shas]
        page, headers = self.page(path, query, listed, 30)
        return Answer(200, page, headers)

    def reviews(self, path: str, query: dict[str, str], sent: Any, number: str) -> Answer:
        listed = [answers.review(each) for each in self.world.pulls[int(number)].reviews]
        page, headers = self.page(path, query, listed, 30)
        return Answer(200, page, headers)

    def timeline(self, path: str, query: dict[str, str], sent: Any, number: str) -> Answer:
        listed = [answers.step(each) for each in self.world.pulls[int(number)].timeline]
        page, headers = self.page(path, query, listed, 30)
        return Answer(200, page, headers)

    def list_comments(self, path: str, query: dict[str, str], sent: Any, number: str) -> Answer:
        listed = [
            answers.comment(self.world, each) for each in self.world.comments if each.pull == int(number)
        ]
        page, headers = self.page(path, query, listed, 30)
        return Answer(200, page, headers)

    def create_comment(self, path: str, query: dict[str, str], sent: Any, number: str) -> Answer:
        pull = self.world.pulls.get(int(number))
        if pull is None:
            return Answer(404, {"message": "Not Found"})
        if pull.locked:
            return Answer(403, {"message": "Unable to create comment because issue is locked."})
        if len(sent["body"]) > 65_536:
            too_long = {"message": "Body is too long (maximum is 65536 characters)"}
            return Answer(422, {"message": "Validation Failed", "errors": [too_long]})
        world = self.world
        told = Comment(
            id=world.new_id(), pull=pull.number, by=world.viewer, body=sent["body"], at=world.tick()
        )
        world.comments.append(told)
        return Answer(201, answers.comment(world, told))

    def change_comment(self, path: str, query: dict[str, str], sent: Any, number: str) -> Answer:
        for each in self.world.comments:
            if each.id == int(number):
                each.body = sent["body"]
                return Answer(200, answers.comment(self.world, each))
        return Answer(404, {"message": "Not Found"})

    def delete_comment(self, path: str, query: dict[str, str], sent: Any, number: str) -> Answer:
        kept = [each for each in self.world.comments if each.id != int(number)]
        gone = len(kept) < len(self.world.comments)
        self.world.comments[:] = kept
        return Answer(204) if gone else Answer(404, {"message": "Not Found"})

    def page(
        self, path: str, query: dict[str, str], found: Sequence[Json], default: int
    ) -> tuple[list[Json], dict[str, str]]:
        """One page, never larger than this server's own, and the Link header."""
        size = min(int(query.get("per_page", default)), self.page_size)
        number = int(query.get("page", 1))
        start = (number - 1) * size
        headers = {}
        if start + size < len(found):
            following = urlencode({**query, "page": number + 1})
            headers["Link"] = f'<{self.base}{path}?{following}>; rel="next"'
        return list(found[start : start + size]), headers


_UNRELATED = "No common ancestor between the two commits"
_ROUTES: Mapping[str, Callable[..., Answer]] = {
    r"GET /compare/(.+)\.\.\.(.+)": Rest.compare,
    r"GET /commits/([0-9a-f]{40})": Rest.commit,
    r"GET /commits/([0-9a-f]{40})/pulls": Rest.pulls_of_commit,
    r"GET /pulls/(\d+)": Rest.pull,
    r"GET /pulls/(\d+)/commits": Rest.pull_commits,
    r"GET /pulls/(\d+)/reviews": Rest.reviews,
    r"GET /issues/(\d+)/timeline": Rest.timeline,
    r"GET /actions/workflows/([^/]+)/runs": Rest.runs,
    r"GET /actions/runs/(\d+)/attempts/(\d+)": Rest.attempt,
    r"GET /actions/runs/(\d+)/approvals": Rest.approvals,
    r"GET /issues/(\d+)/comments": Rest.list_comments,
    r"POST /issues/(\d+)/comments": Rest.create_comment,
    r"PATCH /issues/comments/(\d+)": Rest.change_comment,
    r"DELETE /issues/comments/(\d+)": Rest.delete_comment,
}
