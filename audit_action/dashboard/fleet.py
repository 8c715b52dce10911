"""How are many databases asked at once? In parallel, each with its own limit; a dead one is shown as such."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotInTime
from dataclasses import dataclass
from time import monotonic
from typing import Generic, TypeVar

from audit_action.dashboard.database import Database
from audit_action.errors import TrailError

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A database that gave no answer, and why."""

    database: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers(Generic[_T]):
    """What the databases said, in their order, and which of them said nothing."""

    answers: tuple[tuple[Database, _T], ...]
    problems: tuple[Problem, ...]


class Fleet:
    """The databases that one dashboard shows."""

    def __init__(self, databases: Sequence[Database], *, patience: float = 10.0) -> None:
        self.databases = tuple(databases)
        self._patience = patience
        self._threads = ThreadPoolExecutor(
            max_workers=min(64, 8 * len(self.databases)), thread_name_prefix="database"
        )

    def open(self) -> None:
        """Let connections be made."""
        for each in self.databases:
            each.open()

    def close(self) -> None:
        """End all connections."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        for each in self.databases:
            each.close()

    def named(self, name: str) -> tuple[Database, ...]:
        """The database of that name; every one where none has it, for a warehouse knows more names."""
        return tuple(each for each in self.databases if each.name == name) or self.databases

    def ask(self, question: Callable[[Database], _T], name: str = "") -> Answers[_T]:
        """Put the question to every database, or to those that `name` can mean."""
        asked = self.named(name)
        if len(asked) == 1:  # nothing to wait for beside it
            return _gathered(asked, [lambda: _answer(question, asked[0])])
        futures = [self._threads.submit(_answer, question, each) for each in asked]
        deadline = monotonic() + self._patience
        return _gathered(asked, [_waiting(each, deadline) for each in futures])


def _answer(question: Callable[[Database], _T], database: Database) -> _T:
    with database.snapshot():
        return question(database)


def _waiting(future: Future[_T], deadline: float) -> Callable[[], _T]:
    def wait() -> _T:
        try:
            return future.result(timeout=max(0.0, deadline - monotonic()))
        except NotInTime:
            future.cancel()
            raise TrailError("It did not answer in time.") from None

    return wait


def _gathered(asked: Sequence[Database], answers: Sequence[Callable[[], _T]]) -> Answers[_T]:
    said, problems = [], []
    for database, answer in zip(asked, answers, strict=True):
        try:
            said.append((database, answer()))
        except TrailError as problem:
            problems.append(Problem(database=database.name, reason=str(problem)))
    return Answers(answers=tuple(said), problems=tuple(problems))
