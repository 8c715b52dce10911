"""What would the Actions runner make of this? Its rules for files and printed lines, after its source.

Sources: actions/runner, src/Runner.Worker/FileCommandManager.cs (files), ActionCommandManager.cs and
src/Runner.Common/ActionCommand.cs (lines), src/Runner.Sdk/ProcessInvoker.cs (what a line is).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_COMMANDS = frozenset(
    {
        "add-mask",
        "add-matcher",
        "add-path",
        "debug",
        "echo",
        "endgroup",
        "error",
        "group",
        "notice",
        "remove-matcher",
        "save-state",
        "set-env",
        "set-output",
        "stop-commands",
        "warning",
    }
)


class FileCommandError(Exception):
    """What makes the runner say "Unable to process file command"."""


def file_command(content: str) -> dict[str, str]:
    """The pairs of GITHUB_ENV, GITHUB_OUTPUT or GITHUB_STATE; on Linux only `\\n` ends a line."""
    pairs: dict[str, str] = {}
    lines = content.split("\n")
    if lines[-1] == "":
        lines.pop()
    position = 0
    while position < len(lines):
        line = lines[position]
        position += 1
        if not line:
            continue
        equals, heredoc = line.find("="), line.find("<<")
        if equals >= 0 and (heredoc < 0 or equals < heredoc):
            name, _, value = line.partition("=")
        elif heredoc >= 0:
            name, _, delimiter = line.partition("<<")
            if not name or not delimiter:
                raise FileCommandError(f"invalid format {line!r}")
            try:
                end = lines.index(delimiter, position)
            except ValueError:
                raise FileCommandError(f"matching delimiter not found {delimiter!r}") from None
            value, position = "\n".join(lines[position:end]), end + 1
        else:
            raise FileCommandError(f"invalid format {line!r}")
        if not name:
            raise FileCommandError("empty name")
        pairs[name] = value
    return pairs


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command the runner obeyed."""

    name: str
    data: str
    properties: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Log:
    """What the runner obeyed, and what is left to read."""

    commands: list[Command] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def data_of(self, name: str) -> list[str]:
        return [each.data for each in self.commands if each.name == name]


def printed(output: str) -> Log:
    """One stream of a step, line by line, as the runner's command manager reads it."""
    log = Log()
    stop_token = ""
    lines = re.split(r"\r\n|\r|\n", output)
    for line in lines[:-1] if lines[-1] == "" else lines:
        command = _v2(line, stop_token) or _v1(line, stop_token)
        if command is None:
            log.lines.append(line)
        elif stop_token:
            if command.name == stop_token:
                stop_token = ""
            else:
                log.lines.append(line)
        else:
            if command.name == "stop-commands":
                stop_token = command.data
            log.commands.append(command)
    return log


def _v2(line: str, stop_token: str) -> Command | None:
    match = re.match(r"::([^\s:]+)(?: (.*?))?::(.*)", line.lstrip(), re.DOTALL)
    return _command(match[1], match[2] or "", match[3], ",", stop_token) if match else None


def _v1(line: str, stop_token: str) -> Command | None:
    match = re.search(r"##\[([^\s\]]+)(?: ([^\]]*))?\](.*)", line, re.DOTALL)
    return _command(match[1], match[2] or "", match[3], ";", stop_token) if match else None


def _command(name: str, properties: str, data: str, separator: str, stop_token: str) -> Command | None:
    if name not in _COMMANDS and name != stop_token:
        return None
    pairs = (pair.partition("=") for pair in properties.split(separator) if pair)
    return Command(
        name=name,
        data=_unescaped(data),
        properties={key.strip(): _unescaped(value) for key, _, value in pairs},
    )


def _unescaped(text: str) -> str:
    for code, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, character)
    return text
