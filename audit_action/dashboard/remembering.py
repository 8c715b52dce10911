"""What need not be asked at every page? Answers remembered for a minute, asked once for all who wait."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from time import monotonic
from typing import Any, TypeVar

_T = TypeVar("_T")


class Memory:
    """Answers by their names, each for as many seconds."""

    def __init__(self, *, seconds: float) -> None:
        self._seconds = seconds
        self._lock = Lock()
        self._locks: dict[str, Lock] = {}
        self._kept: dict[str, tuple[float, Any]] = {}

    def of(self, name: str, ask: Callable[[], _T]) -> _T:
        """The answer of that name, asked for where it is not known or too old."""
        with self._lock:
            lock = self._locks.setdefault(name, Lock())
        with lock:
            until, answer = self._kept.get(name, (0.0, None))
            if monotonic() >= until:
                answer = ask()
                self._kept[name] = (monotonic() + self._seconds, answer)
            found: _T = answer
            return found
