"""Which jobs do the container tests run? Events as GitHub sends them, reduced to what is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runner_host import RunnerHost, Step

HEAD = "a" * 40
BASE = "b" * 40
REPOSITORY = {"full_name": "octo/shop", "default_branch": "main"}
ADA = {"name": "Ada Lovelace", "email": "ada@example.com", "username": "ada"}

PUSH: dict[str, Any] = {
    "ref": "refs/heads/main",
    "before": BASE,
    "after": HEAD,
    "created": False,
    "deleted": False,
    "forced": False,
    "base_ref": None,
    "commits": [
        {
            "id": HEAD,
            "message": "Add widgets\n\nCo-authored-by: Grace Hopper <grace@example.com>",
            "timestamp": "2026-01-05T10:00:00Z",
            "author": ADA,
            "committer": ADA,
            "distinct": True,
        }
    ],
    "head_commit": {
        "id": HEAD,
        "message": "Add widgets\n\nCo-authored-by: Grace Hopper <grace@example.com>",
        "timestamp": "2026-01-05T10:00:00Z",
        "author": ADA,
        "committer": ADA,
    },
    "pusher": {"name": "ada", "email": "ada@example.com"},
    "sender": {"login": "ada", "id": 1, "type": "User"},
    "repository": REPOSITORY,
}


def pull_request(*, merged: bool, fork: bool = False) -> dict[str, Any]:
    """A closed and merged pull request, or an open one."""
    author = {"login": "ada", "id": 1, "type": "User"}
    return {
        "action": "closed" if merged else "synchronize",
        "number": 12,
        "pull_request": {
            "number": 12,
            "title": "Add widgets",
            "body": None,
            "html_url": "https://github.com/octo/shop/pull/12",
            "state": "closed" if merged else "open",
            "draft": False,
            "merged": merged,
            "merged_at": "2026-01-05T11:00:00Z" if merged else None,
            "merged_by": {"login": "linus", "id": 3, "type": "User"} if merged else None,
            "merge_commit_sha": HEAD,
            "user": author,
            "commits": 1,
            "head": {
                "sha": "c" * 40,
                "ref": "widgets",
                "repo": None if fork else {"full_name": "octo/shop"},
            },
            "base": {"sha": BASE, "ref": "main", "repo": {"full_name": "octo/shop"}},
        },
        "sender": {"login": "linus", "id": 3, "type": "User"} if merged else author,
        "repository": REPOSITORY,
    }


def on_push(host: RunnerHost, env: Mapping[str, str] | None = None, /, **inputs: str) -> Step:
    """The action in a workflow on push; an underscore in the name of an input stands for its hyphen."""
    github = {"GITHUB_SHA": HEAD, "GITHUB_REF": "refs/heads/main"}
    return host.step(event="push", payload=PUSH, github=github, inputs=_hyphens(inputs), env=env)


def on_pull_request(host: RunnerHost, /, *, merged: bool, fork: bool = False, **inputs: str) -> Step:
    """The action in a workflow on pull_request: closed by a merge, or open."""
    github = {
        "GITHUB_SHA": HEAD,
        "GITHUB_REF": "refs/heads/main" if merged else "refs/pull/12/merge",
        "GITHUB_HEAD_REF": "widgets",
        "GITHUB_BASE_REF": "main",
    }
    payload = pull_request(merged=merged, fork=fork)
    return host.step(event="pull_request", payload=payload, github=github, inputs=_hyphens(inputs))


def _hyphens(inputs: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in inputs.items()}
