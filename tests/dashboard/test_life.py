"""Is an object followed through its names, and is no other object taken for it?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import pytest

from audit_action.dashboard import lives
from audit_action.dashboard.database import Database as Shown
from audit_action.dashboard.filters import Filter
from audit_action.dashboard.life import IndexCandidate, TurningPoint, own_indexes, spans
from audit_action.report.record import plain


def at(hour: int) -> datetime:
    return datetime(2026, 1, 1, hour, tzinfo=UTC)


def point(
    hour: int, event: str, identity: str, previous: str | None = None, object_type: str = "table"
) -> TurningPoint:
    return TurningPoint(
        time=at(hour),
        transaction_audit_id=UUID(int=hour),
        position=1,
        event=event,
        object_type=object_type,
        identity=identity,
        previous=previous,
    )


def lived(name: str, *points: TurningPoint) -> dict[str, tuple[int | None, int | None]]:
    def ask(names: Sequence[str]) -> list[TurningPoint]:
        return [each for each in points if each.identity in names or each.previous in names]

    def hour(moment: datetime | None) -> int | None:
        return moment.hour if moment else None

    return {each.name: (hour(each.begins), hour(each.ends)) for each in spans(name, ask)}


def test_a_rename_is_followed_both_ways() -> None:
    points = (
        point(1, "command", "p.a"),
        point(2, "command", "p.b", "p.a"),
        point(3, "command", "q.b", "p.b"),
    )
    assert lived("q.b", *points) == {"q.b": (None, None), "p.b": (2, 3), "p.a": (1, 2)}
    assert lived("p.a", *points) == {"p.a": (None, None), "p.b": (2, 3), "q.b": (3, None)}


def test_a_name_used_again_is_another_object() -> None:
    points = (
        point(1, "command", "p.a"),
        point(2, "drop", "p.a"),
        point(3, "command", "p.a"),
        point(4, "command", "p.b", "p.a"),
        point(5, "command", "p.a"),
        point(6, "drop", "p.b"),
        point(7, "command", "p.b"),
    )
    assert lived("p.b", *points) == {"p.b": (None, None), "p.a": (3, 4)}
    assert lived("p.a", *points) == {"p.a": (None, None), "p.b": (4, 6)}


def test_names_that_change_places_come_to_an_end() -> None:
    points = (
        point(1, "command", "p.old", "p.a"),
        point(2, "command", "p.a", "p.new"),
        point(3, "command", "p.new", "p.old"),
        point(4, "command", "p.a2", "p.a"),
        point(5, "command", "p.a", "p.a2"),
    )
    assert set(lived("p.a", *points)) == {"p.a", "p.old", "p.new", "p.a2"}


def test_a_renamed_schema_takes_its_objects_along() -> None:
    points = (point(1, "command", "old.t"), point(2, "command", "new", "old", "schema"))
    assert lived("new.t", *points) == {"new.t": (None, None), "old.t": (1, 2)}
    assert lived("old.t", *points) == {"old.t": (None, None), "new.t": (2, None)}


@pytest.mark.parametrize(
    ("identity", "text", "beside", "own"),
    [
        ("public.users_name", "create index users_name on public.users (lower(name))", False, True),
        (
            "public.i",
            "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON ONLY users USING btree (a)",
            False,
            True,
        ),
        ('public."I x"', 'create index "I x" on "public"."users" (a)', False, True),
        ("public.users_a_idx", "create index on users (a)", False, True),
        ("public.users_pkey", "create table users (id int primary key)", True, True),
        ("public.strange", "alter table users add constraint strange unique (a)", True, True),
        ("public.i", "create index i on public.users_archive (a); select * from users", False, False),
        ("public.users_pkey", "create table users_archive (id int primary key)", False, False),
        ("public.users_a", "create index users_a on orders (a) -- as on users (a)", False, False),
        ("public.i", None, False, False),
    ],
)
def test_which_index_is_a_table_s_own(identity: str, text: str | None, beside: bool, own: bool) -> None:
    candidate = IndexCandidate(identity=identity, text=text, certain=False, beside=beside)
    assert own_indexes([candidate], ["public.users"]) == ((identity,) if own else ())


def test_what_the_catalog_says_is_certain() -> None:
    candidate = IndexCandidate(identity="public.x", text=None, certain=True, beside=False)
    assert own_indexes([candidate], ["public.users"]) == ("public.x",)


def said(reader: Shown, name: str) -> list[str]:
    life = lives.life(reader, name, Filter(), 100)
    return [plain(each.sentence) for moment in life.moments for each in moment.part.commands][::-1]


def test_the_life_of_the_members(reader: Shown) -> None:
    told = said(reader, "public.members")
    assert told == [
        "Created table public.users",
        "Created index public.users_name",
        "Created trigger tidy on public.users",
        "Created policy own_row on public.users",
        "Commented on column name of public.users",
        "Renamed table public.users to public.members",
        "Altered table public.members: added column email, added unique constraint members_email",
        "Renamed table public.members to crm.members",
        "Renamed table crm.members to public.members",
        "Added column emergency_note to public.members",
        "Dropped column name from public.members",
    ]


def test_the_other_table_of_the_same_name_is_told_under_that_name_alone(reader: Shown) -> None:
    told = said(reader, "users")
    assert "Dropped table public.users" in told
    assert "Renamed table public.users to public.members" in told
    assert told[-1] == "Dropped column name from public.members"
    assert "Dropped table public.users" not in said(reader, "crm.members")


@pytest.mark.parametrize(
    "name",
    [
        "public.stamp()",
        "tidy on public.users",
        "public.nothing",
        "'; drop",
        'a"b.c"',
        "a.b.c.d",
        "%",
        "(",
        "\\",
    ],
)
def test_any_name_can_be_asked_for(reader: Shown, name: str) -> None:
    life = lives.life(reader, name, Filter(), 10)
    assert bool(life.moments) == (name in ("public.stamp()", "tidy on public.users"))
