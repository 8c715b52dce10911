"""Do the arrows point inward, is each dependency behind its one edge, does every file answer one question?"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "audit_action"

# What is not named here is pure: it may import leaves and other pure parts.
LEAVES = {"errors", "model", "settings", "github_facts", "masking", "signals", "json_paths", "url_options"}
EDGES = {"github_api", "trail", "migration", "runner"}
GLUE = {"main", "cli", "attribute", "deployment", "publish", "dashboard", "demo", "export", "preflight"}

ALLOWED = {
    "leaf": {"leaf"},
    "pure": {"leaf", "pure"},
    "edge": {"leaf"},
    "glue": {"leaf", "pure", "edge", "glue"},
}

DEPENDENCIES = {"github": "github_api", "psycopg": "trail", "subprocess": "migration"}

# The dashboard is an application of its own, with an edge of its own.
INNER_EDGES = {("dashboard", "psycopg"): "database.py"}

# A part is a file, or a folder of files that answer the sides of one question.
PARTS = {
    path.stem: sorted(path.rglob("*.py")) if path.is_dir() else [path]
    for path in sorted(PACKAGE.iterdir())
    if (path.suffix == ".py" and path.stem != "__init__") or (path / "__init__.py").exists()
}


def imported(part: str) -> set[str]:
    """What the files of a part import: our own modules as audit_action.<part>, others by their first name."""
    names: set[str] = set()
    for path in PARTS[part]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module == "audit_action":
                names |= {f"audit_action.{alias.name}" for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module)
    return {".".join(name.split(".")[: 2 if name.startswith("audit_action.") else 1]) for name in names}


def importers(part: str, dependency: str) -> set[str]:
    """The files of a part that import a package."""
    return {
        path.name
        for path in PARTS[part]
        if re.search(rf"(?m)^\s*(?:import|from) {dependency}\b", path.read_text())
    }


def siblings(part: str) -> set[str]:
    return {name.removeprefix("audit_action.") for name in imported(part)} & set(PARTS) - {part}


def layer(part: str) -> str:
    layers = {"leaf": LEAVES, "edge": EDGES, "glue": GLUE}
    return next((name for name, parts in layers.items() if part in parts), "pure")


@pytest.mark.parametrize("part", PARTS)
def test_arrows_point_inward(part: str) -> None:
    outward = {other for other in siblings(part) if layer(other) not in ALLOWED[layer(part)]}
    assert not outward, f"{part} is {layer(part)} and imports {outward}"


@pytest.mark.parametrize("part", PARTS)
def test_nothing_imports_in_a_circle(part: str) -> None:
    reached: set[str] = set()
    waiting = siblings(part)
    while waiting:
        reached |= waiting
        waiting = {further for each in waiting for further in siblings(each)} - reached
    assert part not in reached


@pytest.mark.parametrize("part", sorted(set(PARTS) - {"demo"}))
def test_each_dependency_is_behind_its_one_edge(part: str) -> None:
    for dependency, edge in DEPENDENCIES.items():
        if (part, dependency) in INNER_EDGES:
            assert importers(part, dependency) == {INNER_EDGES[part, dependency]}
        else:
            assert dependency not in imported(part) or part == edge


def test_the_environment_is_read_in_main_alone() -> None:
    readers = {
        part
        for part in set(PARTS) - {"demo"}
        for path in PARTS[part]
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
        and node.attr in ("environ", "getenv")
        and isinstance(node.value, ast.Name)
        and node.value.id == "os"
    }
    assert readers == {"main"}


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_a_file_says_its_question_and_stays_short(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= 300
    docstring = ast.get_docstring(ast.parse(text))
    assert docstring
    assert docstring.splitlines()[0].endswith(("?", ".")), docstring.splitlines()[0]


def test_every_name_in_the_lists_above_exists() -> None:
    assert set(PARTS) >= LEAVES | EDGES | GLUE
