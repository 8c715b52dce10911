"""How is a release kept, to be upgraded from in the tests for ever? Its install script becomes one file.

Run it when the version was raised, never for one that is released: python tests/pg/keep_version.py
"""

from __future__ import annotations

from pathlib import Path

from audit_action import __version__
from audit_action.trail import install_script

if __name__ == "__main__":
    path = Path(__file__).parent / "versions" / f"{__version__}.sql"
    path.write_bytes(install_script())
    print(path)
