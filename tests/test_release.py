"""Does a release pin its image by digest, on a commit of its own?"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
IMAGE = f"docker://ghcr.io/org/schema-audit-action@sha256:{'0' * 64}"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone of a remote that holds the action.yml of main."""
    remote, clone = tmp_path / "remote.git", tmp_path / "clone"
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", str(remote))
    git(tmp_path, "clone", "--quiet", str(remote), str(clone))
    shutil.copy(ROOT / "action.yml", clone)
    git(clone, "add", "action.yml")
    git(clone, "-c", "user.name=Ada", "-c", "user.email=ada@example.com", "commit", "--quiet", "-m", "First")
    git(clone, "push", "--quiet", "origin", "HEAD:main")
    return clone


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(("git", "-C", folder, *arguments), capture_output=True, text=True, check=True)
    return done.stdout


def pin(clone: Path, image: str, version: str) -> subprocess.CompletedProcess[str]:
    command = (ROOT / ".github/pin-image", image, version, str(clone.parent / "remote.git"))
    return subprocess.run(command, cwd=clone, capture_output=True, text=True, check=False)


def test_the_tags_have_the_image_and_main_has_the_dockerfile(clone: Path) -> None:
    for version in ("v1.0.0", "v1.0.1"):
        assert pin(clone, IMAGE, version).returncode == 0
        git(clone, "reset", "--quiet", "--hard", "origin/main")
    remote = clone.parent / "remote.git"
    for tag in ("v1.0.0", "v1.0.1", "v1"):
        assert f"\n  image: {IMAGE}\n" in git(remote, "show", f"{tag}:action.yml")
    assert git(remote, "rev-parse", "v1") == git(remote, "rev-parse", "v1.0.1")
    assert "\n  image: Dockerfile\n" in git(remote, "show", "main:action.yml")


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("docker://ghcr.io/org/schema-audit-action:v1", "v1.0.0"),
        ("ghcr.io/org/schema-audit-action@sha256:" + "0" * 64, "v1.0.0"),
        (IMAGE, "v1"),
        (IMAGE, "v1.0.0-rc"),
    ],
)
def test_what_is_not_pinned_is_refused(clone: Path, image: str, version: str) -> None:
    assert pin(clone, image, version).returncode != 0
    assert git(clone.parent / "remote.git", "tag") == ""


def test_a_release_that_exists_is_not_replaced(clone: Path) -> None:
    assert pin(clone, IMAGE, "v1.0.0").returncode == 0
    first = git(clone.parent / "remote.git", "rev-parse", "v1.0.0")
    git(clone, "reset", "--quiet", "--hard", "origin/main")
    git(clone, "tag", "--delete", "v1.0.0")
    assert pin(clone, IMAGE.replace("0", "1"), "v1.0.0").returncode != 0
    assert git(clone.parent / "remote.git", "rev-parse", "v1.0.0") == first
