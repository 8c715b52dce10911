"""Does the checkout answer where GitHub does not: real git, names of all kinds, and a history cut short?"""

from __future__ import annotations

import os
import subprocess
from functools import partial
from pathlib import Path

import pytest

from audit_action.attribute import find_people
from audit_action.migration import output_of
from audit_action.model import Job, RangeSource, Relation, Trigger

NAME = 'Ada "the Countess" O\'Lovelace \\ 名 😀'


def git(folder: Path, *arguments: str, author: str = "Bob", email: str = "bob@brickyard.example") -> str:
    person = {"NAME": author, "EMAIL": email}
    environ = {
        f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in person.items()
    }
    quiet = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "PATH": os.environ["PATH"]}
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env=environ | quiet, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Three commits on main."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    git(folder, "commit", "-q", "--allow-empty", "-m", "Begin")
    message = "Add a table\n\n* one\n\nCo-authored-by: Zoe <77+zoe@users.noreply.github.com>\n\n* two\n\tx"
    git(folder, "commit", "-q", "--allow-empty", "-m", message, author=NAME, email="ada@x.example")
    git(folder, "commit", "-q", "--allow-empty", "-m", "Fix it")
    return folder


def test_a_range_of_the_checkout(checkout: Path) -> None:
    base, head = git(checkout, "rev-parse", "HEAD~2"), git(checkout, "rev-parse", "HEAD")
    change_set, people = find_people(
        Trigger(event="workflow_dispatch", repository="brickyard/shop", head_sha=head),
        Job(),
        None,
        last_run_head=base,
        environment="",
        local_git=partial(output_of, cwd=checkout, timeout=30),
    )
    assert (change_set.range_source, change_set.relation) == (RangeSource.LAST_RUN, Relation.UNKNOWN)
    assert [each.headline for each in change_set.commits] == ["Add a table", "Fix it"]
    assert [(each.person.name, each.person.login, each.roles) for each in people.authors] == [
        (NAME, "", ("author",)),
        ("Zoe", "zoe", ("co-author",)),
        ("Bob", "", ("author",)),
    ]


def test_a_history_that_is_cut_short_is_no_answer(checkout: Path, tmp_path: Path) -> None:
    base, head = git(checkout, "rev-parse", "HEAD~2"), git(checkout, "rev-parse", "HEAD")
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{checkout}", str(shallow))
    change_set, people = find_people(
        Trigger(event="workflow_dispatch", repository="brickyard/shop", head_sha=head),
        Job(),
        None,
        last_run_head=base,
        environment="",
        local_git=partial(output_of, cwd=shallow, timeout=30),
    )
    assert change_set.range_source is RangeSource.HEAD_ONLY
    assert [each.headline for each in change_set.commits] == ["Fix it"]
    assert [each.person.name for each in people.authors] == ["Bob"]


def test_outside_of_github_actions_the_checkout_names_the_head(checkout: Path) -> None:
    change_set, people = find_people(
        Trigger(event="", repository="", head_sha=""),
        Job(),
        None,
        last_run_head="",
        environment="",
        local_git=partial(output_of, cwd=checkout, timeout=30),
    )
    assert change_set.head_sha == git(checkout, "rev-parse", "HEAD")
    assert [each.person.name for each in people.authors] == ["Bob"]


def test_without_a_checkout_there_is_nothing(tmp_path: Path) -> None:
    change_set, people = find_people(
        Trigger(event="", repository="", head_sha=""),
        Job(),
        None,
        last_run_head="a" * 40,
        environment="",
        local_git=partial(output_of, cwd=tmp_path, timeout=30),
    )
    assert (change_set.commits, people.authors) == ((), ())
