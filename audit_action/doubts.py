"""How certain is it which run the changes belong to? What sessions claimed, against what they were told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from uuid import UUID

from audit_action.model import Claim, Delivery


def doubts(claims: Sequence[Claim], *, run_id: UUID, login: str, told: Mapping[str, str]) -> Iterator[str]:
    """What a reader must know about the changes that a login made while its run was open; prose, one each.

    `claims` are what its sessions claimed, `told` the settings of `pgoptions.session_settings`.
    """
    own = [each for each in claims if each.belongs]
    others = [each for each in claims if not each.belongs]
    yield from _silent(own, login)
    yield from _forged(own, run_id, told)
    meanwhile = f"While this run was open, the login {login} also made"
    if ambiguous := _counted(each for each in others if each.ambiguous):
        yield (
            f"{meanwhile} {ambiguous} in sessions that do not say for certain which of its open runs they "
            "serve. Whose they are is not known: let one run a login migrate at a time (`concurrency:`)."
        )
    lost = [each for each in others if not each.ambiguous and not each.belongs_to_some]
    if lost:
        yield (
            f"{meanwhile} {_counted(lost)} in sessions that claim {_claimed(lost)}. Either something in the "
            "migration sets audit.run_id or the application's name itself, or somebody else used the login."
        )
    if strange := _counted(each for each in others if each.belongs_to_some):
        yield f"{meanwhile} {strange} that belong to another run of it."


def _silent(own: Sequence[Claim], login: str) -> Iterator[str]:
    """Changes that belong to the run because no other one was open."""
    silent = _counted(each for each in own if each.delivery is Delivery.OPEN_RUN)
    why = f"because it was the only open run of the login {login}"
    if silent and silent == _counted(own):
        yield (
            f"No session brought this run's settings: the changes belong to it {why}. What somebody else did "
            "with that login meanwhile would be among them. docs/delivery.md says how the settings reach the "
            "sessions of this migration."
        )
    elif silent:
        yield (
            f"{silent} came in sessions that claim no run, beside others that claim this one, and belong to "
            f"it {why}. Either a part of the command does not read PGOPTIONS, or somebody else used the "
            "login meanwhile."
        )


def _forged(own: Sequence[Claim], run_id: UUID, told: Mapping[str, str]) -> Iterator[str]:
    """Settings that arrived otherwise than they were told; those that are absent say nothing."""
    found = (
        ("audit.run_id", str(run_id), [(each, _run_of(each)) for each in own]),
        ("audit.user_name", told.get("audit.user_name"), [(each, each.user_name) for each in own]),
        ("audit.user_email", told.get("audit.user_email"), [(each, each.user_email) for each in own]),
        ("audit.commit", told.get("audit.commit"), [(each, each.commit) for each in own]),
    )
    for setting, right, arrived in found:
        wrong = [(claim, value) for claim, value in arrived if value not in ("", right)]
        if wrong:
            values = ", ".join(dict.fromkeys(value for _, value in wrong))
            yield (
                f"{_counted(claim for claim, _ in wrong)} of this run came in sessions whose {setting} was "
                f"not what they were told, but {values}: something in the migration sets it. The people of "
                "the run, as recorded with it, are not touched by that."
            )


def _run_of(claim: Claim) -> str:
    """The run that a session claims. What an open run alone explains may bear the name of an earlier run.

    A transaction pooler leaves it on its server connections.
    """
    return "" if claim.delivery is Delivery.OPEN_RUN else claim.claimed_run_id


def _claimed(claims: Sequence[Claim]) -> str:
    names = ", ".join(dict.fromkeys(each.claimed_run_id for each in claims if each.claimed_run_id))
    return f"the run {names}, which is not open" if names else "no run"


def _counted(claims: Iterable[Claim]) -> str:
    """How many changes; empty for none."""
    number = sum(each.events for each in claims)
    return f"{number:,} change{'' if number == 1 else 's'}" if number else ""
