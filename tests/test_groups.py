"""Are the tests that share an engine or a folder kept on one worker?"""

from __future__ import annotations

import os

import pytest


@pytest.mark.xdist_group("groups")
def test_a_group_is_part_of_the_name_by_which_tests_are_handed_out(request: pytest.FixtureRequest) -> None:
    """Pytest-xdist gives it that name; under a pytest that it does not fit it silently does not."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        pytest.skip("there is one process")
    assert request.node.nodeid.endswith("@groups")
