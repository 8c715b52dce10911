"""Does the throw-away PostgreSQL start anywhere, refuse strangers when asked, and leave nothing behind?"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg
import pytest

from audit_action.demo import postgres
from audit_action.demo.postgres import WHEEL_MAJORS, running, wheel_bin
from audit_action.errors import NothingWasRun


@pytest.mark.parametrize("major", WHEEL_MAJORS)
def test_it_serves_and_stops(major: int) -> None:
    with running(major) as server:
        with psycopg.connect(server.url()) as connection:
            row = connection.execute("select current_setting('server_version_num')::int / 10000").fetchone()
        assert row == (major,)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(server.url())


def test_a_password_is_asked_for_when_there_is_one() -> None:
    with running(password="a b:c@d/é") as server:
        psycopg.connect(server.url()).close()
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(server.url(user="nobody"))


def test_a_port_that_somebody_took_first_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        free = postgres._free_port()
        ports = iter([taken.getsockname()[1], free])
        monkeypatch.setattr(postgres, "_free_port", lambda: next(ports))
        with running() as server:
            assert server.port == free


def test_a_server_that_cannot_start_says_why() -> None:
    with pytest.raises(NothingWasRun, match="shared_buffers"), running(settings={"shared_buffers": "much"}):
        pass


def test_a_missing_major_says_where_else_to_look() -> None:
    with pytest.raises(NothingWasRun, match="not in 9"), running(9):
        pass


def test_a_killed_owner_leaves_neither_server_nor_files(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    for folder in tmp_path.parents:  # two above it for pytest's own, a third one for each worker of xdist
        if folder.stat().st_uid == os.geteuid() and folder != Path(tempfile.gettempdir()):
            folder.chmod(folder.stat().st_mode | 0o111)
        else:
            break
    code = """from audit_action.demo.postgres import running
with running() as server:
    print(server.port, flush=True)
    input()
"""
    owner = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert owner.stdout is not None
    assert owner.stdin is not None
    with owner.stdin, owner.stdout:
        port = int(owner.stdout.readline())
        assert list(tmp_path.iterdir())
        owner.kill()
        owner.wait()
    deadline = time.monotonic() + 20
    while list(tmp_path.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not list(tmp_path.iterdir())
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root cannot be the server's own user")
def test_programs_below_a_closed_home_are_copied_where_others_can_enter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    package = wheel_bin(18).parent.parent
    shutil.copytree(package / "pginstall18", home / package.name / "pginstall18", symlinks=True)
    shutil.copytree(package.parent / f"{package.name}.libs", home / f"{package.name}.libs")
    home.chmod(0o700)
    monkeypatch.setattr(postgres, "CACHE", Path("/var/cache/schema-audit-test") / str(os.getpid()))
    try:
        for _ in range(2):  # the second time the copy is there already
            with running(18, home / package.name / "pginstall18" / "bin") as server:
                assert server.bin.is_relative_to(postgres.CACHE)
                psycopg.connect(server.url()).close()
        assert home.stat().st_mode & 0o777 == 0o700
    finally:
        shutil.rmtree(postgres.CACHE.parent)
