"""How does one get a real PgBouncer for a moment? Transaction pooling in front of a throw-away server."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from audit_action.demo.postgres import Server


class NoPgBouncer(Exception):
    """There is no PgBouncer on this machine (Debian: `apt-get install pgbouncer`), or it did not start."""


@contextmanager
def pooling(
    server: Server, *, users: Sequence[str], ignore: str = "extra_float_digits", more: str = ""
) -> Iterator[Server]:
    """The same server behind a PgBouncer in transaction mode, until the block ends.

    `ignore` is ignore_startup_parameters: without `options` in it PgBouncer refuses sessions that bring
    options, with it it drops them. The default is what its documentation advises for JDBC. Everybody may
    connect as any of `users` without a password.

    Raises:
        NoPgBouncer: see there.
    """
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin")
    if program is None:
        raise NoPgBouncer
    with tempfile.TemporaryDirectory(prefix="schema-audit-pgbouncer-") as name:
        folder, port = Path(name), _free_port()
        (folder / "users").write_text("".join(f'"{user}" ""\n' for user in users))
        (folder / "ini").write_text(
            f"[databases]\n* = host=127.0.0.1 port={server.port}\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
            f"pool_mode = transaction\nauth_type = trust\nauth_file = {folder}/users\n"
            f"ignore_startup_parameters = {ignore}\n{more}\n"
        )
        account = _unprivileged()
        if account is not None:
            for path in (folder, *folder.iterdir()):
                os.chown(path, account.pw_uid, account.pw_gid)
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [program, folder / "ini"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd="/",
                **({"user": account.pw_uid, "group": account.pw_gid} if account else {}),
            )
        try:
            if not _listens(process, port):
                raise NoPgBouncer((folder / "log").read_text(errors="replace")[-2000:])
            yield replace(server, port=port)
        finally:
            process.terminate()
            process.wait(timeout=10)


def _unprivileged() -> pwd.struct_passwd | None:
    """PgBouncer refuses to run as root."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _listens(process: subprocess.Popen[bytes], port: int, seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
        time.sleep(0.02)
    return False
