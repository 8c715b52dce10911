"""How do we speak to the Actions runner? Its files, and its commands on standard output.

A file takes any content; the output takes commands, and untrusted text must never become one (actions/runner,
src/Runner.Worker/FileCommandManager.cs and ActionCommandManager.cs). Outside of GitHub Actions the same calls
print plain text. A file that is not mounted (Kubernetes runners) is told, and never fatal.
"""

from __future__ import annotations

import os
import re
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from ipaddress import IPv4Address
from pathlib import Path
from typing import Protocol

from audit_action.model import RunnerFiles

SUMMARY_LIMIT = 1_048_576
"""Bytes; of a larger summary the runner shows nothing (FileCommandManager.cs, AttachmentSizeLimit)."""

_CUT = "\n\nThe rest does not fit into a job summary.\n"


class Stream(Protocol):
    """Where text goes: `sys.stdout.buffer`, or anything that takes bytes and says how many."""

    def write(self, chunk: memoryview, /) -> int: ...

    def flush(self) -> None: ...


class Sink(Protocol):
    """Where foreign output goes, whole."""

    def write(self, chunk: bytes, /) -> object: ...

    def flush(self) -> None: ...


class Runner:
    """The runner's side of one stage of the step."""

    def __init__(self, files: RunnerFiles, out: Stream) -> None:
        self._files = files
        self._out = _Lines(out)

    # --- Files ------------------------------------------------------------------------------

    def output(self, name: str, value: str) -> bool:
        """Set a step output; False when the runner gave no file for it."""
        return self._set(self._files.output, "output", name, value)

    def export(self, name: str, value: str) -> bool:
        """Set a variable of the following steps; False when the runner gave no file for it."""
        return self._set(self._files.env, "environment variable", name, value)

    def save_state(self, name: str, value: str) -> bool:
        """Hand a value to the post step as `STATE_<name>`. The log shows it: no secrets."""
        return self._set(self._files.state, "state", name, value)

    def summary(self, markdown: str) -> bool:
        """Add to the job summary what fits; the command may have written to the same file before us."""
        if self._files.summary is None and not self._files.in_actions:
            self.log(markdown)
            return True
        text = markdown if markdown.endswith("\n") else markdown + "\n"
        with suppress(OSError):
            room = SUMMARY_LIMIT - (self._files.summary.stat().st_size if self._files.summary else 0)
            text = _fitting(text, room)
        return self._append(self._files.summary, "job summary", text)

    def keep(self, name: str, text: str) -> str:
        """Write a file for the following steps; the path by which they find it, empty when there is none.

        It lies in the runner's temporary folder and belongs to that folder's owner: a self-hosted runner must
        be able to delete it.
        """
        folder = self._files.temp
        if folder is None:
            return ""
        path = folder / "schema-audit" / name
        try:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
            owner = folder.stat()
            for each in (path.parent, path):
                with suppress(PermissionError):
                    os.chown(each, owner.st_uid, owner.st_gid)
        except OSError as problem:
            self.debug(f"{path} could not be written: {problem}")
            return ""
        return str((self._files.temp_outside or folder) / "schema-audit" / name)

    def give_back(self, *folders: Path) -> None:
        """What root left in these folders goes to the owner of each.

        The runner's user must be able to delete it: the next checkout fails otherwise (actions/runner, 434).
        """
        for folder in folders:
            with suppress(OSError):
                owner = folder.stat()
                if os.geteuid() == 0 and owner.st_uid != 0:
                    _give(folder, owner.st_uid, owner.st_gid)

    # --- Commands ---------------------------------------------------------------------------

    def mask(self, value: str) -> None:
        """Let the runner star out this value in everything that is printed from now on."""
        if self._files.in_actions and value:
            self._command("add-mask", value)

    def debug(self, message: str) -> None:
        """For those who switched debug logging on."""
        if self._files.in_actions:
            self._command("debug", message)

    def notice(self, message: str, *, title: str = "") -> None:
        """An annotation that is worth knowing."""
        self._annotation("notice", message, title)

    def warning(self, message: str, *, title: str = "") -> None:
        """An annotation that somebody should act on."""
        self._annotation("warning", message, title)

    def error(self, message: str, *, title: str = "") -> None:
        """An annotation that says why the step fails."""
        self._annotation("error", message, title)

    def log(self, text: str) -> None:
        """Plain lines; nothing in them is taken for a command."""
        lines = re.split(r"\r\n|\r|\n", text)
        self._out.write_line("\n".join(map(_harmless, lines)) if self._files.in_actions else text)

    @contextmanager
    def group(self, title: str) -> Iterator[None]:
        """Fold what is printed inside under a title."""
        if not self._files.in_actions:
            self._out.write_line(title)
            yield
            return
        self._command("group", title)
        try:
            yield
        finally:
            self._command("endgroup", "")

    @contextmanager
    def stop_commands(self) -> Iterator[Sink]:
        """A sink for foreign output: until the end of the block the runner obeys nothing that is printed.

        Both streams of a command belong in it: the runner reads standard error on its own, so a command there
        could overtake the word that stops commands.
        """
        if not self._files.in_actions:
            yield self._out
            return
        token = uuid.uuid4().hex
        self.mask(token)
        self._command("stop-commands", token)
        try:
            yield self._out
        finally:
            self._command(token, "")

    # --- How ----------------------------------------------------------------------------------

    def _set(self, path: Path | None, what: str, name: str, value: str) -> bool:
        if re.search(r"[\r\n=]|<<", name) or not name:
            raise ValueError(f"{name!r} cannot be the name of an {what}")
        if path is None and not self._files.in_actions:
            self.log(f"{name}={value}")
            return True
        delimiter = f"end_{uuid.uuid4().hex}"
        return self._append(path, f"{what} {name}", f"{name}<<{delimiter}\n{value}\n{delimiter}\n")

    def _append(self, path: Path | None, what: str, text: str) -> bool:
        try:
            if path is None:
                raise FileNotFoundError("the runner named no file for it")
            with path.open("ab") as file:
                file.write(text.encode("utf-8", "surrogateescape"))
        except OSError as problem:
            self.debug(f"The {what} was not handed to the runner: {problem}")
            return False
        return True

    def _annotation(self, level: str, message: str, title: str) -> None:
        if self._files.in_actions:
            self._command(level, message, title=title)
        else:
            self._out.write_line(f"{level}: {f'{title}: ' if title else ''}{message}")

    def _command(self, name: str, message: str, *, title: str = "") -> None:
        properties = f" title={_escaped(title, ':,')}" if title else ""
        self._out.write_line(f"::{name}{properties}::{_escaped(message)}")


def in_container() -> bool:
    """Whether this process runs in a container, by the marks that Docker and Podman leave."""
    return any(Path(mark).exists() for mark in ("/.dockerenv", "/run/.containerenv"))


def bridge_address() -> str:
    """The runner's machine as this container sees it, the default gateway; empty outside of a container.

    /proc/net/route holds addresses as hexadecimal numbers of the machine's byte order
    (Linux, net/ipv4/fib_trie.c).
    """
    if not in_container():
        return ""
    with suppress(OSError, ValueError):
        for line in Path("/proc/net/route").read_text(encoding="ascii").splitlines()[1:]:
            _, destination, gateway, *_ = line.split()
            if int(destination, 16) == 0 and int(gateway, 16) != 0:
                return str(IPv4Address(int(gateway, 16).to_bytes(4, sys.byteorder)))
    return ""


def _give(folder: Path, user: int, group: int) -> None:
    """Links themselves change hands, not what they point to; what is gone meanwhile is nobody's."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with suppress(OSError):
                if entry.stat(follow_symlinks=False).st_uid == 0:
                    os.chown(entry.path, user, group, follow_symlinks=False)
                if entry.is_dir(follow_symlinks=False):
                    _give(Path(entry.path), user, group)


class _Lines:
    """A sink that knows whether a line is open, so that a command always begins one."""

    def __init__(self, out: Stream) -> None:
        self._out, self._open = out, False

    def write(self, chunk: bytes, /) -> None:
        rest = memoryview(chunk)
        while rest:  # an unbuffered stream may take a part, as when a signal comes
            rest = rest[self._out.write(rest) :]
        self._open = not chunk.endswith(b"\n") if chunk else self._open

    def write_line(self, text: str) -> None:
        """Whole lines; a line that somebody left open is ended first."""
        self.write((b"\n" if self._open else b"") + text.encode("utf-8", "surrogateescape") + b"\n")
        self.flush()

    def flush(self) -> None:
        self._out.flush()


def _escaped(text: str, also: str = "") -> str:
    """As @actions/toolkit does (core/src/command.ts): data and, with `also`, properties."""
    for each in "%\r\n" + also:
        text = text.replace(each, f"%{ord(each):02X}")
    return text


def _harmless(line: str) -> str:
    """The line with a zero-width space inside what the runner would read as a command.

    `::name::` counts at the start of a line, the older `##[name]` anywhere (Runner.Common/ActionCommand.cs).
    """
    line = line.replace("##[", "##\u200b[")
    return line.replace("::", ":\u200b:", 1) if line.lstrip().startswith("::") else line


def _fitting(text: str, room: int) -> str:
    data = text.encode("utf-8", "surrogateescape")
    if len(data) <= room:
        return text
    kept = data[: max(0, room - len(_CUT))].rpartition(b"\n")[0]
    return kept.decode("utf-8", "surrogateescape") + _CUT if room >= len(_CUT) else ""
