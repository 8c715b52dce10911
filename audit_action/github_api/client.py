"""How is GitHub asked, and what does its refusal mean? PyGithub as the transport, within a time budget."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import Enum, auto
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any, TypeVar

import github
from github.GithubRetry import GithubRetry
from requests.exceptions import RequestException
from urllib3.response import BaseHTTPResponse

from audit_action.json_paths import at, items, text
from audit_action.model import Json, Unavailable

# 2026-03-10 leaves merge_commit_sha out of pull requests; every supported server knows this one.
API_VERSION = "2022-11-28"
READ_CONTENTS = "contents: read"
READ_PULL_REQUESTS = "pull-requests: read"
READ_ACTIONS = "actions: read"
READ_DEPLOYMENTS = "deployments: read"
_LONGEST_WAIT = 10  # seconds that a Retry-After or a rate limit may hold us up

T = TypeVar("T")


class Why(Enum):
    """What kind of refusal it is, where the next step depends on it."""

    NOT_FOUND = auto()
    UNSUPPORTED = auto()  # this server does not know the field or the endpoint
    OVERLOADED = auto()  # it took GitHub too long: less may be answered
    TOO_LONG = auto()  # the text is longer than GitHub takes
    OTHER = auto()


class Refused(Exception):
    """GitHub did not answer one question. Never leaves this package.

    `permission`: the missing one; empty when that is not the cause; None when it is, and GitHub does not
    say which.
    """

    def __init__(self, reason: str, permission: str | None = "", why: Why = Why.OTHER) -> None:
        super().__init__(reason)
        self.reason = reason
        self.permission = permission
        self.why = why

    def of(self, field: str, permission: str = "") -> Unavailable:
        """The refusal as a record; `permission` is what the question needs where GitHub did not say."""
        needed = permission if self.permission is None else self.permission
        return Unavailable(field=field, reason=self.reason, permission=needed)


class _Retry(GithubRetry):
    """PyGithub's own rules, but no server keeps us waiting for long: it caps all waits but Retry-After."""

    def get_retry_after(self, response: BaseHTTPResponse) -> float | None:
        asked = super().get_retry_after(response)
        return None if asked is None else min(asked, _LONGEST_WAIT)


class Client:
    """Questions over HTTP. A read is repeated after a failure of the server; a write never is."""

    def __init__(self, *, token: str, api_url: str, timeout: int) -> None:
        def make(methods: set[str], repeats: int) -> github.Github:
            retry = _Retry(
                total=repeats,
                backoff_factor=0.5,
                max_rate_limit_wait=_LONGEST_WAIT,
                allowed_methods=methods,
                raise_on_status=False,
            )
            return github.Github(
                auth=github.Auth.Token(token) if token else None,
                base_url=api_url.rstrip("/"),
                timeout=timeout,
                lazy=True,
                retry=retry,
                seconds_between_requests=None,
                seconds_between_writes=None,
                api_version=API_VERSION,
            )

        self._read = make({"GET"}, 2)
        self._query = make({"GET", "POST"}, 1)  # a query is a POST, and changes nothing
        self.write = make({"GET"}, 1)
        self._deadline = float("inf")

    @contextmanager
    def budget(self, seconds: float) -> Iterator[None]:
        """Everything asked inside takes no longer than that together; later questions are refused."""
        before, self._deadline = self._deadline, monotonic() + seconds
        try:
            yield
        finally:
            self._deadline = before

    def get(self, path: str, **parameters: str | int) -> Json:
        """One REST resource. Raises Refused."""
        return self._within_budget(lambda: self._get(path, parameters)[0])

    def pages(self, path: str, **parameters: str | int) -> tuple[Json, ...]:
        """All pages of a REST resource, along its Link headers. Raises Refused."""

        def follow() -> tuple[Json, ...]:
            found, (body, after) = [], self._get(path, parameters)
            found.append(body)
            while after:
                body, after = self._get(after, {})
                found.append(body)
            return tuple(found)

        return self._within_budget(follow)

    def query(self, document: str, variables: Mapping[str, Json]) -> tuple[Json, tuple[Json, ...]]:
        """The data of a GraphQL query, and the errors beside it. Raises Refused when there is no data."""
        return self._within_budget(lambda: self._graphql(document, dict(variables)))

    def change(self, write: Callable[[], T]) -> T:
        """What a write with `self.write` returns. Raises Refused; it may have been done all the same."""
        return self._within_budget(write)

    def _get(self, path: str, parameters: Mapping[str, str | int]) -> tuple[Json, str]:
        headers, body = self._read.requester.requestJsonAndCheck("GET", path, parameters=dict(parameters))
        return body, _next_page(str(headers.get("link", "")))

    def _graphql(self, document: str, variables: dict[str, Any]) -> tuple[Json, tuple[Json, ...]]:
        try:
            _, body = self._query.requester.graphql_query(document, variables)
        except github.GithubException as error:
            # PyGithub raises for any error; what GitHub did answer lies in the exception.
            if error.status == 404 and not isinstance(at(error.data, "errors"), list):
                raise Refused("this server has no GraphQL API", why=Why.UNSUPPORTED) from error
            if not at(error.data, "data", "repository"):
                raise
            body = error.data
        if not isinstance(at(body, "data", "repository"), dict):
            raise Refused("GitHub's answer holds no data")
        return at(body, "data"), items(body, "errors")

    def _within_budget(self, question: Callable[[], T]) -> T:
        """The answer, or Refused when it does not come in time.

        Asked in a thread that is left alone after the deadline: neither a slow name server nor a server
        that sends a byte a second is bound by the timeouts of a socket.
        """
        left = self._deadline - monotonic()
        if left <= 0:
            raise Refused("the time budget for asking GitHub was used up")
        answers: SimpleQueue[T | Refused] = SimpleQueue()
        threading.Thread(target=lambda: answers.put(answer_of(question)), daemon=True).start()
        try:
            answer = answers.get(timeout=None if left == float("inf") else left)
        except Empty:
            raise Refused("GitHub did not answer within the time budget") from None
        if isinstance(answer, Refused):
            raise answer
        return answer


def answer_of(question: Callable[[], T]) -> T | Refused:
    """What PyGithub returns, or the refusal that its exception means."""
    try:
        return question()
    except Refused as refused:
        return refused
    except github.GithubException as error:
        return refusal(error)
    except RequestException as error:
        reason = "in time" if isinstance(error, TimeoutError) or "timed out" in str(error) else "at all"
        return Refused(f"GitHub could not be reached {reason} ({type(error).__name__})", why=Why.OVERLOADED)
    except (AssertionError, AttributeError, RuntimeError) as error:
        # PyGithub asserts that an address in an answer is its own, and trips over an error that is no object.
        return Refused(f"GitHub's answer leads somewhere else or has no form ({type(error).__name__})")
    except (KeyError, TypeError, ValueError, github.BadAttributeException) as error:
        return Refused(f"GitHub's answer could not be read ({type(error).__name__})")


def refusal(error: github.GithubException) -> Refused:
    """Which refusal GitHub's error means.

    Statuses and bodies: https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api
    """
    first = at(error.data, "errors", 0)
    message = text(error.data, "message") or text(first, "message") or (error.message or "")
    headers = {key.lower(): value for key, value in (error.headers or {}).items()}
    if (
        isinstance(at(error.data, "errors"), list)
        and error.status in (400, 404)
        and "message" not in error.data
    ):
        return _graphql_refusal(first, message)
    match error.status:
        case 401:
            return Refused("the token is not valid (401)")
        case 403 if not _is_rate_limit(message, headers):
            return Refused(f"{message or 'forbidden'} (403)", _permission(headers))
        case 403 | 429:
            return Refused(f"GitHub's rate limit is used up ({error.status})")
        case 404 | 410:
            return Refused(f"{message or 'not found'} ({error.status})", None, Why.NOT_FOUND)
        case 422 if "too long" in f"{message} {text(first, 'message')}":
            return Refused(f"{message} (422)", why=Why.TOO_LONG)
        case status if status >= 500:
            return Refused(f"GitHub failed ({status})", why=Why.OVERLOADED)
    return Refused(f"{message or 'GitHub failed'} ({error.status})")


def _graphql_refusal(first: Json, message: str) -> Refused:
    kind = text(first, "type")
    if kind == "RATE_LIMITED":
        return Refused("GitHub's rate limit is used up (RATE_LIMITED)")
    if kind in ("FORBIDDEN", "INSUFFICIENT_SCOPES"):
        return Refused(f"{message} ({kind})", None)
    if kind == "NOT_FOUND":
        return Refused(f"{message} (NOT_FOUND)", None, Why.NOT_FOUND)
    slow = "timeout" in message or "something went wrong" in message.lower()
    if slow or kind in ("RESOURCE_LIMITS_EXCEEDED", "MAX_NODE_LIMIT_EXCEEDED"):
        return Refused(message, why=Why.OVERLOADED)
    # Errors without a type and without data: the document itself was not accepted.
    return Refused(message or "the query was not accepted", why=Why.OTHER if kind else Why.UNSUPPORTED)


def partial_refusal(error: Json) -> Refused:
    """The refusal of one part of a GraphQL answer."""
    return _graphql_refusal(error, text(error, "message"))


def _is_rate_limit(message: str, headers: Mapping[str, Any]) -> bool:
    return "rate limit" in message or str(headers.get("x-ratelimit-remaining")) == "0"


def _permission(headers: Mapping[str, Any]) -> str | None:
    """`a=read,b=read; c=read` (`;` between alternatives) in the words of a workflow's `permissions:`.

    >>> _permission({"x-accepted-github-permissions": "pull_requests=read,issues=read; contents=read"})
    'pull-requests: read and issues: read, or contents: read'
    """
    accepted = str(headers.get("x-accepted-github-permissions") or "")
    alternatives = [[one.strip() for one in each.split(",")] for each in accepted.split(";") if each.strip()]
    written = [
        " and ".join(one.replace("_", "-").replace("=", ": ") for one in each) for each in alternatives
    ]
    return ", or ".join(written) or None


def _next_page(link: str) -> str:
    """The address of the next page in a Link header, or empty text."""
    for each in link.split(","):
        address, _, relation = each.partition(";")
        if 'rel="next"' in relation:
            return address.strip().strip("<>")
    return ""
