"""Is what the user had set told apart from what another run left in the job's environment?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_action.inherited import pgappname_of_the_user, pgoptions_of_the_user
from audit_action.pgoptions import encode

RUN = "0dae5f75-2da0-4376-bf05-0d9f6088314e"


@pytest.mark.parametrize(
    "untouched",
    [
        "",
        "  ",
        "-c statement_timeout=5s",
        r"-c search_path=audit.run_id=7",
        r"--audit.run_id=7",
        "-c audit.mine=7",
        r"-c my.text=-c\ audit.run_id=7",
        "audit.run_id=7",
        "-c  a=b   -c c=d",
    ],
)
def test_what_is_not_ours_is_unchanged(untouched: str) -> None:
    assert pgoptions_of_the_user(untouched) == untouched


@given(
    users=st.lists(st.sampled_from([r"-c a.b=x\ y", "-c statement_timeout=5s", r"-c c.d=\\"]), max_size=3),
    person=st.text(st.characters(codec="utf-8"), max_size=20),
)
def test_the_settings_of_a_run_go_and_the_users_stay(users: list[str], person: str) -> None:
    theirs = " ".join(users)
    told = encode({"audit.run_id": RUN, "audit.user_name": person, "audit.authors": "[]"}, theirs)
    assert pgoptions_of_the_user(told) == theirs


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("", ""),
        ("worker", "worker"),
        (f"schema-audit/{RUN}", ""),
        (f"schema-audit/{RUN} worker", "worker"),
        ("schema-audit/mine worker", "schema-audit/mine worker"),
        (f"worker schema-audit/{RUN}", f"worker schema-audit/{RUN}"),
    ],
)
def test_names(name: str, kept: str) -> None:
    assert pgappname_of_the_user(name) == kept
