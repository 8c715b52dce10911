"""Golden files: renderings kept to be read. `make golden` writes them anew; then read the diff."""

from __future__ import annotations

import os
from pathlib import Path

GOLDEN = Path(__file__).parent / "golden"


def assert_golden(name: str, text: str) -> None:
    """Fail unless the file of that name holds exactly this text."""
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert path.is_file(), f"tests/golden/{name} is missing: `make golden` writes it"
    assert text == path.read_text(encoding="utf-8")
