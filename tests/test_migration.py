"""Is the command run as a shell would, its output kept whole, and its end told truly?"""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_action import migration
from audit_action.errors import Interrupted, NothingWasRun
from audit_action.masking import Masker
from audit_action.model import MigrationResult
from audit_action.signals import Signals

ENV = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}


def ran(
    command: str | list[str],
    *,
    cwd: Path | None = None,
    mask: tuple[str, ...] = (),
    timeout_seconds: float | None = None,
    grace_seconds: float = 5.0,
) -> tuple[MigrationResult, bytes]:
    out = io.BytesIO()
    result = migration.run(
        command,
        env=ENV,
        cwd=cwd or Path.cwd(),
        out=out,
        mask=mask,
        timeout_seconds=timeout_seconds,
        grace_seconds=grace_seconds,
    )
    return result, out.getvalue()


@pytest.mark.parametrize(
    ("command", "exit_code", "output"),
    [
        pytest.param("echo a; echo b", 0, b"a\nb\n", id="several-commands"),
        pytest.param("false; echo not-reached", 1, b"", id="stops-at-the-first-failure"),
        pytest.param("exit 7 | cat; echo not-reached", 7, b"", id="a-failure-inside-a-pipe"),
        pytest.param("exit 42", 42, b"", id="any-exit-code"),
        pytest.param("kill -9 $$", 137, b"", id="ended-by-a-signal"),
        pytest.param("nothing-of-that-name", 127, b"bash: line 1: nothing-of-that-name: command not found\n"),
        pytest.param("cat; echo end", 0, b"end\n", id="standard-input-is-empty"),
        pytest.param("echo a; echo b >&2; echo c", 0, b"a\nb\nc\n", id="both-streams-in-the-order-written"),
        pytest.param(r"printf 'a\0\xff\r\n\e[31mb'", 0, b"a\0\xff\r\n\x1b[31mb", id="bytes-unchanged"),
        pytest.param(["printf", "%s|", "a b", "$(id)"], 0, b"a b|$(id)|", id="an-argument-list-has-no-shell"),
        pytest.param("[[ $- == *i* ]] && echo interactive || echo batch", 0, b"batch\n"),
        pytest.param("echo ${HOME-unset}", 0, b"unset\n", id="no-variable-but-those-given"),
    ],
)
def test_a_command(command: str | list[str], exit_code: int, output: bytes) -> None:
    result, printed = ran(command)
    assert (result.exit_code, printed) == (exit_code, output)
    assert (result.timed_out, result.cancelled, result.left_behind) == (False, False, False)


def test_the_working_directory(tmp_path: Path) -> None:
    assert ran("pwd -P", cwd=tmp_path)[1].decode().strip() == str(tmp_path.resolve())


def test_streams_apart_where_asked() -> None:
    out, err = io.BytesIO(), io.BytesIO()
    migration.run("echo a; echo b >&2", env=ENV, cwd=Path.cwd(), out=out, err=err)
    assert (out.getvalue(), err.getvalue()) == (b"a\n", b"b\n")


def test_two_megabytes_pass_whole() -> None:
    result, printed = ran("head -c 2000000 /dev/zero | tr '\\0' x; printf '\\nlast'")
    assert printed == b"x" * 2_000_000 + b"\nlast"
    assert result.tail[-1] == "last"
    assert sum(map(len, result.tail)) < 40_000


def test_output_comes_while_the_command_runs(tmp_path: Path) -> None:
    """The command waits for a file that is made only when its first words, a line not ended, have arrived."""
    flag = tmp_path / "seen"

    class Watcher(io.BytesIO):
        def write(self, chunk: bytes, /) -> int:
            if b"ready" in chunk:
                flag.touch()
            return super().write(chunk)

    out = Watcher()
    wait = f"printf ready; for i in $(seq 200); do [ -e '{flag}' ] && exit 0; sleep 0.05; done; exit 9"
    assert migration.run(wait, env=ENV, cwd=Path.cwd(), out=out).exit_code == 0


def test_a_reader_who_leaves_does_not_end_the_migration(tmp_path: Path) -> None:
    class Gone(io.BytesIO):
        def write(self, chunk: bytes, /) -> int:
            raise BrokenPipeError

    done = tmp_path / "done"
    command = f"for i in $(seq 20000); do echo some output; done; touch '{done}'"
    assert migration.run(command, env=ENV, cwd=Path.cwd(), out=Gone()).exit_code == 0
    assert done.exists()


def test_the_tail_is_what_a_terminal_would_show() -> None:
    result, _ = ran(r"seq 40; printf '10%%\r50%%\r100%%\n\e[32mdone\e[0m\r\n'")
    assert result.tail == (*map(str, range(13, 41)), "100%", "done")


# --- Ends ---------------------------------------------------------------------------------------


def test_a_time_limit_asks_first() -> None:
    result, printed = ran("trap 'echo cleaned up; exit 3' TERM; sleep 30 & wait", timeout_seconds=0.3)
    assert (result.exit_code, result.timed_out, result.cancelled) == (3, True, False)
    assert printed == b"cleaned up\n"


def test_a_time_limit_is_no_success_even_if_the_command_says_so() -> None:
    result, _ = ran("trap 'exit 0' TERM; sleep 30 & wait", timeout_seconds=0.3)
    assert (result.exit_code, result.timed_out) == (143, True)


def test_a_time_limit_kills_in_the_end() -> None:
    result, _ = ran("trap '' TERM; while :; do sleep 0.1; done", timeout_seconds=0.2, grace_seconds=0.3)
    assert (result.exit_code, result.timed_out) == (137, True)


def test_what_the_command_leaves_behind_is_ended(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    result, _ = ran(f"sleep 300 & echo $! > '{pid}'; echo done", grace_seconds=0.2)
    assert (result.exit_code, result.left_behind) == (0, True)
    assert _ends(int(pid.read_text()))


def test_a_daemon_that_left_the_group_does_not_keep_us(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    result, _ = ran(f"setsid sleep 300 & echo $! > '{pid}'; sleep 0.1", grace_seconds=0.2)
    assert (result.exit_code, result.left_behind) == (0, True)
    os.kill(int(pid.read_text()), signal.SIGKILL)


def test_a_pipeline_that_finishes_a_moment_later_is_heard() -> None:
    result, printed = ran("echo first; (sleep 0.3; echo second) & exit 0")
    assert (result.left_behind, printed) == (False, b"first\nsecond\n")


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_is_forwarded(number: signal.Signals, exit_code: int) -> None:
    with Signals() as signals:
        _send_when_printed(out := _Announcing(), number)
        result = migration.run(
            "echo started; sleep 30", env=ENV, cwd=Path.cwd(), out=out, signals=signals, grace_seconds=5
        )
        os.kill(os.getpid(), number)  # a second one while the report is written stops nothing
    assert (result.exit_code, result.cancelled, result.timed_out) == (exit_code, True, False)
    assert signals.received is number


def test_a_signal_leaves_time_to_clean_up() -> None:
    _send_when_printed(out := _Announcing(), signal.SIGINT)
    command = "trap 'echo rolled back; exit 0' INT; echo started; sleep 30 & wait"
    result = migration.run(command, env=ENV, cwd=Path.cwd(), out=out)
    assert (result.exit_code, result.cancelled) == (130, True)
    assert out.getvalue() == b"started\nrolled back\n"


def test_a_command_that_ignores_signals_is_killed() -> None:
    _send_when_printed(out := _Announcing(), signal.SIGINT)
    command = "trap '' INT TERM; echo started; while :; do sleep 0.1; done"
    result = migration.run(command, env=ENV, cwd=Path.cwd(), out=out, grace_seconds=0.3)
    assert (result.exit_code, result.cancelled) == (137, True)


def test_a_signal_before_the_command_stops_us(tmp_path: Path) -> None:
    with Signals() as signals:
        with pytest.raises(Interrupted) as raised:
            os.kill(os.getpid(), signal.SIGTERM)
        assert raised.value.exit_code == 143
        with pytest.raises(Interrupted):
            migration.run(f"touch '{tmp_path}/ran'", env=ENV, cwd=tmp_path, out=io.BytesIO(), signals=signals)
    assert not list(tmp_path.iterdir())


def test_handlers_are_put_back() -> None:
    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)]
    ran("true")
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)] == before


@pytest.mark.skipif(
    os.geteuid() != 0, reason="a PID namespace takes root; the container tests cover this too"
)
def test_process_1_buries_orphans() -> None:
    script = textwrap.dedent("""
        import io, os, pathlib, sys
        from audit_action import migration
        out = io.BytesIO()
        orphans = "for i in 1 2 3; do (sleep 0.1 &) ; done; sleep 0.5; ps -o stat= | grep -c Z || true"
        result = migration.run(orphans, env=dict(os.environ), cwd=pathlib.Path("/"), out=out)
        print(os.getpid(), result.exit_code, out.getvalue().decode().strip())
    """)
    argv = ["unshare", "--pid", "--fork", "--mount-proc", sys.executable, "-c", script]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if "Operation not permitted" in done.stderr:
        pytest.skip("no PID namespace may be made here; the container tests cover this too")
    assert done.stdout.split() == ["1", "0", "0"], done.stderr


# --- What cannot start ----------------------------------------------------------------------------


def test_no_such_directory(tmp_path: Path) -> None:
    with pytest.raises(NothingWasRun, match=r"working directory .* does not exist"):
        ran("true", cwd=tmp_path / "missing")


def test_no_such_program() -> None:
    with pytest.raises(NothingWasRun, match="not-a-program was not found"):
        ran(["not-a-program"])


@pytest.mark.parametrize("command", ["echo 'a\0b'", "echo " + "x" * 140_000])
def test_a_command_that_the_kernel_refuses(command: str) -> None:
    with pytest.raises(NothingWasRun, match="could not be started"):
        ran(command)


# --- Helpers such as git ----------------------------------------------------------------------------


def test_output_of(tmp_path: Path) -> None:
    assert migration.output_of(["printf", "a b"], cwd=tmp_path, timeout=5) == "a b"
    assert (
        migration.output_of(["sh", "-c", "echo $X"], cwd=tmp_path, timeout=5, env={**ENV, "X": "1"}) == "1\n"
    )
    assert migration.output_of(["false"], cwd=tmp_path, timeout=5) is None
    assert migration.output_of(["not-a-program"], cwd=tmp_path, timeout=5) is None
    assert migration.output_of(["sleep", "30"], cwd=tmp_path, timeout=0.1) is None
    assert migration.output_of(["true"], cwd=tmp_path / "missing", timeout=5) is None


# --- Masks ------------------------------------------------------------------------------------------


def test_secrets_do_not_pass() -> None:
    result, printed = ran(
        "printf 'url=postgres://u:hunter22@db'; sleep 0.1; printf '; hunt'; sleep 0.1; printf 'er22!\nhunt'",
        mask=("hunter22", "postgres://u:hunter22@db"),
    )
    assert printed == b"url=***; ***!\nhunt"
    assert result.tail == ("url=***; ***!", "hunt")


def _simply(secrets: list[str], text: str) -> bytes:
    pattern = "|".join(re.escape(each) for each in sorted(secrets, key=len, reverse=True))
    return re.sub(pattern, "***", text).encode()


@given(
    secrets=st.lists(st.text("abc", min_size=1, max_size=5), min_size=1, max_size=4),
    chunks=st.lists(st.text("abcd", max_size=6), max_size=8),
)
def test_cutting_a_stream_in_pieces_changes_nothing(secrets: list[str], chunks: list[str]) -> None:
    masker = Masker(secrets)
    streamed = b"".join(masker.feed(chunk.encode()) for chunk in chunks) + masker.flush()
    assert streamed == _simply(secrets, "".join(chunks))


def test_only_what_could_become_a_secret_waits() -> None:
    masker = Masker(["secret", "passé"])
    assert masker.feed("à: pass".encode()) == "à: ".encode()
    assert masker.feed(b"word") == b"password"


class _Announcing(io.BytesIO):
    """A sink that says when the first bytes have come."""

    def __init__(self) -> None:
        super().__init__()
        self.printed = threading.Event()

    def write(self, chunk: bytes, /) -> int:
        self.printed.set()
        return super().write(chunk)


def _send_when_printed(out: _Announcing, number: signal.Signals) -> None:
    def send() -> None:
        if out.printed.wait(20):
            os.kill(os.getpid(), number)

    threading.Thread(target=send, daemon=True).start()


def _ends(pid: int) -> bool:
    """Whether the process is gone, or a zombie, within some seconds."""
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False
