"""Do tests that want a package at the same time all find it whole?"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from npm_packages import installed


def test_one_fetches_and_the_others_wait(tmp_path: Path) -> None:
    """Without waiting one of them reads what another has not written yet, or npm falls over its own files."""

    def whole(_: int) -> bool:
        return (installed(tmp_path, "is-number@7.0.0") / "is-number" / "index.js").stat().st_size > 0

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(whole, range(4))) == [True] * 4
