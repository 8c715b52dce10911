"""Does `schema-audit run --explain-attribution` say who is behind an event, and why a name is missing?"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from audit_action.demo.github import Fault, serving
from audit_action.demo.story import Story, tell


def explained(story: Story, folder: Path, **variables: str) -> str:
    """What the console script prints in a job of that story."""
    (folder / "event.json").write_text(story.event)
    environ = {**story.variables, **variables, "GITHUB_EVENT_PATH": str(folder / "event.json")}
    done = subprocess.run(
        [Path(sys.executable).parent / "schema-audit", "run", "--explain-attribution"],
        env={"PATH": os.environ["PATH"], **environ},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_who_was_found_and_from_which_source(tmp_path: Path) -> None:
    story = tell()
    with serving(story.world) as served:
        told = explained(story, tmp_path, GITHUB_API_URL=served.api_url, GITHUB_TOKEN="t")
    for line in (
        "  base from: push (confidence medium)",
        "Pull request #42: Give every customer an e-mail address: merged into main (merge), 3 commits",
        "  Ada Lovelace <ada@brickyard.example> [adalovelace, GitHub account 5103]: co-author, 1 commit",
        "  #42: Grace Hopper <grace@brickyard.example> [ghopper, GitHub account 5104]",
        "  #42: Barbara Liskov [bliskov, GitHub account 5105]: APPROVED (fresh review)",
        "Started by: ghopper",
    ):
        assert line in told.splitlines()
    assert "Unavailable" not in told


def test_what_is_missing_and_why(tmp_path: Path) -> None:
    story = tell()
    refused = Fault(on="DeployedPullRequests", null="reviews")
    with serving(story.world, faults=[refused]) as served:
        told = explained(story, tmp_path, GITHUB_API_URL=served.api_url, GITHUB_TOKEN="t")
    assert (
        "Unavailable: reviewers: Resource not accessible by integration (FORBIDDEN); "
        "the token needs pull-requests: read" in told.splitlines()
    )


def test_without_a_token(tmp_path: Path) -> None:
    told = explained(tell(), tmp_path)
    assert "Unavailable: pull_requests: GitHub was not asked: there is no token" in told.splitlines()
    assert "No database was named, so its last run is not known." in told.splitlines()
