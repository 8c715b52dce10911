"""What do SIGINT and SIGTERM do at this moment?

The runner cancels a step with SIGINT, 7.5 s later SIGTERM, 2.5 s later the end (actions/runner,
Runner.Sdk/ProcessInvoker.cs). In a container we are process 1: a signal without a handler never reaches us.
"""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from types import FrameType, TracebackType
from typing import TypeAlias

from audit_action.errors import Interrupted

_Handler: TypeAlias = Callable[[int, FrameType | None], object] | int | None


class Signals:
    """SIGINT and SIGTERM from the first step to the last; to be entered in the main thread.

    Before the command is started they raise Interrupted, once. While it runs they are forwarded to its
    process group. Afterwards they are only noted in `received`: the run must still be closed and reported.
    """

    def __init__(self) -> None:
        self.received: signal.Signals | None = None
        self._group: int | None = None
        self._held = False
        self._before: dict[signal.Signals, _Handler] = {}

    def __enter__(self) -> Signals:
        for each in (signal.SIGINT, signal.SIGTERM):
            self._before[each] = signal.signal(each, self._arrived)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each, handler in self._before.items():
            signal.signal(each, handler)

    def hold(self) -> None:
        """From here on a signal is noted, and stops nothing."""
        self._held = True

    def raise_if_received(self) -> None:
        """Raise Interrupted if a signal came that somebody else's code swallowed, or while held."""
        if self.received is not None:
            raise Interrupted(self.received)

    def forward_to(self, group: int | None) -> None:
        """Pass signals on to this process group, beginning with one that came a moment ago."""
        self._group = group
        if group is not None and self.received is not None:
            signal_group(group, self.received)

    def _arrived(self, number: int, _frame: FrameType | None) -> None:
        first = self.received is None
        self.received = self.received or signal.Signals(number)
        if self._group is not None:
            signal_group(self._group, signal.Signals(number))
        elif first and not self._held:
            raise Interrupted(signal.Signals(number))


class Wakeups:
    """Lets a signal, also a child's end, interrupt a wait on `reader` (`signal.set_wakeup_fd`)."""

    def __enter__(self) -> Wakeups:
        self.reader, self._writer = socket.socketpair()
        self.reader.setblocking(False)
        self._writer.setblocking(False)
        self._fd = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        self._handler = signal.signal(signal.SIGCHLD, lambda number, frame: None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.signal(signal.SIGCHLD, self._handler)
        signal.set_wakeup_fd(self._fd)
        self.reader.close()
        self._writer.close()

    def drain(self) -> None:
        """Forget the wakeups so far."""
        with suppress(BlockingIOError):
            while self.reader.recv(4096):
                pass


def signal_group(group: int, number: signal.Signals) -> None:
    """Signal every process of the group; nobody left to signal is no error."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
