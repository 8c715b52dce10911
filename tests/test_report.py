"""Does each report show what its name says, and nothing that its readers must not see?"""

from __future__ import annotations

import pytest
from golden_files import assert_golden
from report_cases import CASES

from audit_action import report as reports


@pytest.mark.parametrize("name", CASES)
def test_comment_is_as_kept(name: str) -> None:
    assert_golden(f"{name}.md", reports.comment(CASES[name]()))


@pytest.mark.parametrize("name", CASES)
def test_terminal_text_is_as_kept(name: str) -> None:
    assert_golden(f"{name}.txt", reports.terminal(CASES[name]()))
