"""How is the migration command run? In its own session, streamed, in time, its exit code kept."""

from __future__ import annotations

import os
import re
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import IO, Protocol

from audit_action.errors import NothingWasRun
from audit_action.masking import Masker
from audit_action.model import MigrationResult
from audit_action.signals import Signals, Wakeups, signal_group

_TAIL_LINES = 30
_TAIL_BYTES = 32_768
_CHUNK = 65_536
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")


class Sink(Protocol):
    """Where the output goes: `sys.stdout.buffer`, or anything that takes bytes."""

    def write(self, chunk: bytes, /) -> object: ...

    def flush(self) -> None: ...


def run(
    command: str | Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path,
    out: Sink,
    err: Sink | None = None,
    mask: Sequence[str] = (),
    timeout_seconds: float | None = None,
    grace_seconds: float = 5.0,
    signals: Signals | None = None,
) -> MigrationResult:
    """Run a text with `bash -eo pipefail -c`, or an argument list as it is, and wait for its end.

    The child has exactly `env`, an empty standard input and a session of its own. Without `err` both of its
    streams go to `out` through one pipe, in the order written. Bytes pass as they come, except that each
    value of `mask` becomes `***`. SIGINT and SIGTERM are forwarded; they and the time limit leave the command
    `grace_seconds`, then it is killed. Processes that outlive the command and hold its output get as long:
    nothing may change the schema after the run is closed. Must be called in the main thread.

    Raises:
        Interrupted: a signal came before.
        NothingWasRun: the command could not be started.
    """
    argv = ["bash", "-eo", "pipefail", "-c", command] if isinstance(command, str) else list(command)
    with Signals() if signals is None else nullcontext(signals) as signals, Wakeups() as wakeups:
        signals.hold()
        signals.raise_if_received()
        started = time.monotonic()
        limit = None if timeout_seconds is None else started + timeout_seconds
        with _start(argv, env=env, cwd=cwd, merge=err is None) as child:
            signals.forward_to(child.pid)
            pipes = [_Pipe(child.stdout, out, mask)]
            if err is not None:
                pipes.append(_Pipe(child.stderr, err, mask))
            timed_out, left_behind = _Watch(child.pid, pipes, wakeups, signals, grace_seconds).to_the_end(
                limit
            )
            signals.forward_to(None)
    return MigrationResult(
        exit_code=_exit_code(child.returncode, timed_out=timed_out, received=signals.received),
        seconds=time.monotonic() - started,
        timed_out=timed_out,
        cancelled=signals.received is not None,
        left_behind=left_behind,
        tail=_tail([pipe.tail for pipe in pipes]),
    )


def output_of(
    argv: Sequence[str], *, cwd: Path, timeout: float, env: Mapping[str, str] | None = None
) -> str | None:
    """The standard output of a small helper such as git; None when it is missing, fails or takes too long."""
    try:
        done = subprocess.run(
            list(argv),
            cwd=cwd,
            env=None if env is None else dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=timeout,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace")


def _start(argv: list[str], *, env: Mapping[str, str], cwd: Path, merge: bool) -> subprocess.Popen[bytes]:
    if not cwd.is_dir():
        raise NothingWasRun(
            f"The working directory {cwd} does not exist, so the command was not started. It is taken from "
            "the root of the checkout: is there an actions/checkout step before, and is the path right?"
        )
    try:
        return subprocess.Popen(
            argv,
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if merge else subprocess.PIPE,
            bufsize=0,
            # A session, not only a group: a background group that asks the terminal for a password stops.
            start_new_session=True,
        )
    except FileNotFoundError as problem:
        raise NothingWasRun(
            f"{argv[0]} was not found on the PATH, so the command was not started."
        ) from problem
    except (OSError, ValueError) as problem:
        raise NothingWasRun(
            f"The command could not be started: {problem}. The usual cause is an argument or an environment "
            "variable that is too long or holds a zero byte."
        ) from problem


class _Watch:
    """One child and its process group, from its start until nothing of it is left."""

    def __init__(
        self, group: int, pipes: Sequence[_Pipe], wakeups: Wakeups, signals: Signals, grace_seconds: float
    ) -> None:
        self._group, self._pipes, self._wakeups = group, pipes, wakeups
        self._signals, self._grace = signals, grace_seconds

    def to_the_end(self, limit: float | None) -> tuple[bool, bool]:
        """Copy output and keep the deadlines: whether time ran out, and whether processes were left."""
        timed_out = left_behind = killed = False
        stop_at: float | None = None
        with selectors.DefaultSelector() as selector:
            selector.register(self._wakeups.reader, selectors.EVENT_READ)
            for pipe in self._pipes:
                selector.register(pipe.reader, selectors.EVENT_READ, pipe)
            while not (ended := _has_ended(self._group)) or len(selector.get_map()) > 1:
                now = time.monotonic()
                if stop_at is None and limit is not None and now >= limit and not ended:
                    timed_out = True
                    signal_group(self._group, signal.SIGTERM)
                if stop_at is None and (ended or timed_out or self._signals.received is not None):
                    stop_at = now + self._grace
                elif stop_at is not None and now >= stop_at:
                    left_behind = ended
                    if ended and killed:  # whoever left the group as well may hold the pipe for ever
                        break
                    signal_group(self._group, signal.SIGKILL)
                    killed, stop_at = True, now + 1.0
                self._copy(selector, limit if stop_at is None else stop_at)
        signal_group(self._group, signal.SIGKILL)
        for pipe in self._pipes:
            pipe.close()
        return timed_out, left_behind

    def _copy(self, selector: selectors.BaseSelector, until: float | None) -> None:
        wait = None if until is None else max(0.0, until - time.monotonic())
        for key, _ in selector.select(wait):
            if not isinstance(key.data, _Pipe):
                self._wakeups.drain()
            elif not key.data.copy():
                selector.unregister(key.fileobj)


class _Pipe:
    """One stream of the child: from its pipe, through the masks, to the sink."""

    def __init__(self, reader: IO[bytes] | None, sink: Sink, mask: Sequence[str]) -> None:
        assert reader is not None
        self.reader, self.tail = reader, bytearray()
        self._sink: Sink | None = sink
        self._masker = Masker(mask)

    def copy(self) -> bool:
        """Pass on what is there; False at the end of the stream."""
        chunk = os.read(self.reader.fileno(), _CHUNK)
        self._emit(self._masker.feed(chunk))
        return bool(chunk)

    def close(self) -> None:
        self._emit(self._masker.flush())
        self.reader.close()

    def _emit(self, chunk: bytes) -> None:
        self.tail += chunk
        del self.tail[:-_TAIL_BYTES]
        if self._sink is not None and chunk:
            try:
                self._sink.write(chunk)
                self._sink.flush()
            except OSError:  # nobody listens any more; the migration must not die of that
                self._sink = None


def _has_ended(child: int) -> bool:
    """Whether the child has ended; it stays a zombie, so that its process group's number is not given away.

    Process 1 also buries the orphans that the kernel hands to it.
    """
    while os.getpid() == 1:
        dead = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if dead is None or dead.si_pid == child:
            break
        os.waitpid(dead.si_pid, 0)
    return os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _exit_code(returncode: int, *, timed_out: bool, received: signal.Signals | None) -> int:
    """A shell's code, 128 + n for signal n. A command that was stopped from outside never succeeded."""
    code = 128 - returncode if returncode < 0 else returncode
    if code == 0 and received is not None:
        return 128 + received
    return 128 + signal.SIGTERM if code == 0 and timed_out else code


def _tail(streams: Sequence[bytearray]) -> tuple[str, ...]:
    """The last lines as a terminal would have left them: no colours, and of a redrawn line its last state."""
    lines: list[str] = []
    for stream in streams:
        text = _ESCAPES.sub("", stream.decode("utf-8", "replace")).replace("\r\n", "\n").rstrip("\n")
        lines += [line.rsplit("\r", 1)[-1] for line in text.split("\n")] if text else []
    return tuple(lines[-_TAIL_LINES:])
