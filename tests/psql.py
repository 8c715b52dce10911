"""How do tests run a script as its user does? By the real psql, which alone knows the script's variables."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from servers import ROOT, Database

from audit_action.demo.postgres import wheel_bin


def psql(
    database: Database, script: str | Path, *, user: str = "postgres", **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a script of the repository with these variables of psql, up to the first error."""
    named = [word for name, value in variables.items() for word in ("-v", f"{name}={value}")]
    return subprocess.run(
        [
            wheel_bin(18) / "psql",
            "-X",
            "-v",
            "ON_ERROR_STOP=1",
            *named,
            "-f",
            ROOT / script,
            database.url(user),
        ],
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "PGCONNECT_TIMEOUT": "15"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
