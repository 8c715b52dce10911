"""Is a reader told of every change whose run is less certain than it could be, and of nothing else?"""

from __future__ import annotations

from uuid import UUID

import pytest

from audit_action.doubts import doubts
from audit_action.model import Claim, Delivery

RUN = UUID("11111111-2222-4333-8444-555555555555")
TOLD = {
    "audit.run_id": str(RUN),
    "audit.user_name": "Ada 名",
    "audit.user_email": "a@x",
    "audit.commit": "c0",
}


def claim(**given: object) -> Claim:
    fields: dict[str, object] = {
        "belongs": True,
        "belongs_to_some": True,
        "delivery": Delivery.SESSION,
        "ambiguous": False,
        "claimed_run_id": str(RUN),
        "user_name": "Ada 名",
        "user_email": "a@x",
        "commit": "c0",
        "events": 2,
    }
    return Claim(**{**fields, **given})  # type: ignore[arg-type]


OPEN = {"delivery": Delivery.OPEN_RUN, "claimed_run_id": "", "user_name": "", "user_email": "", "commit": ""}
NAMED = {**OPEN, "delivery": Delivery.APPLICATION_NAME, "claimed_run_id": str(RUN)}
LOST = {**OPEN, "belongs": False, "belongs_to_some": False, "delivery": Delivery.NONE}


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ([], []),
        ([{}], []),
        ([{"user_name": "", "user_email": "", "commit": ""}], []),
        ([NAMED], []),
        ([{}, NAMED], []),
        ([OPEN], ["No session brought this run's settings"]),
        ([{**OPEN, "claimed_run_id": "another"}], ["No session brought this run's settings"]),
        ([{}, OPEN], ["2 changes came in sessions that claim no run"]),
        ([{}, {**OPEN, "events": 1}], ["1 change came in sessions that claim no run"]),
        ([{"user_name": "Eve"}], ["whose audit.user_name was not what they were told, but Eve:"]),
        ([{"user_email": "e@x"}, {"user_email": "f@x"}], ["4 changes of this run", "e@x, f@x"]),
        ([{"commit": "bad"}], ["audit.commit was not"]),
        ([{**NAMED, "claimed_run_id": "spoof"}], ["audit.run_id was not what they were told, but spoof"]),
        ([{**LOST, "claimed_run_id": "gone"}], ["also made 2 changes in sessions that claim the run gone"]),
        ([LOST], ["also made 2 changes in sessions that claim no run"]),
        ([{**LOST, "ambiguous": True}], ["also made 2 changes", "Whose they are is not known"]),
        ([{**LOST, "belongs_to_some": True}], ["also made 2 changes that belong to another run"]),
    ],
)
def test_each_doubt_is_told_once(claims: list[dict[str, object]], said: list[str]) -> None:
    told = list(doubts([claim(**each) for each in claims], run_id=RUN, login="ci", told=TOLD))
    assert len(told) == min(1, len(said))
    for piece in said:
        assert piece in told[0]


def test_a_setting_that_was_not_told_is_a_doubt_when_it_arrives() -> None:
    told = list(
        doubts([claim()], run_id=RUN, login="ci", told={"audit.user_email": "a@x", "audit.commit": "c0"})
    )
    assert len(told) == 1
    assert "audit.user_name" in told[0]
