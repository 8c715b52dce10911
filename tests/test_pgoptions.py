"""Does every value come out of the server as it went in, and never as an option of its own?"""

from __future__ import annotations

import json
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_action.model import (
    Attribution,
    Author,
    AuthorRole,
    ChangeSet,
    Commit,
    Merger,
    Person,
    Reviewer,
    ReviewState,
)
from audit_action.pgoptions import encode, escape, session_settings

C_SPACES = " \t\n\v\f\r"


def split(options: str) -> list[str]:
    """The server's own pg_split_opts() (src/backend/utils/init/postinit.c), in Python."""
    arguments: list[str] = []
    characters = iter(options)
    current: list[str] | None = None
    for character in characters:
        if character in C_SPACES:
            if current is not None:
                arguments.append("".join(current))
                current = None
            continue
        current = current or []
        current.append(next(characters, "") if character == "\\" else character)
    return arguments + (["".join(current)] if current is not None else [])


def as_server_reads(options: str) -> dict[str, str]:
    arguments = split(options)
    assert arguments[::2] == ["-c"] * (len(arguments) // 2)
    return dict(argument.split("=", 1) for argument in arguments[1::2])


HOSTILE = [
    "Ada Lovelace",
    'Ada "the Countess" O\'Lovelace \\ 名 😀',
    "tab\there",
    "two\nlines\r\n",
    "\v\f",
    " leading and trailing ",
    "trailing backslash\\",
    "\\ \\\\ \\",
    "x -c search_path=evil",
    "--search_path=evil",
    "$(touch x)`id`;DROP TABLE x; --",
    "a=b=c",
    "100% %20 a+b",
    "é\u00a0\u0085\u3000",
    "x" * 3000,
]


@pytest.mark.parametrize("value", HOSTILE)
def test_a_value_comes_out_as_it_went_in(value: str) -> None:
    assert as_server_reads(encode({"audit.user_name": value})) == {"audit.user_name": value}


@given(
    st.dictionaries(st.from_regex(r"audit\.[a-z_]{1,20}", fullmatch=True), st.text(min_size=1, max_size=60))
)
def test_any_text_comes_out_as_it_went_in(values: dict[str, str]) -> None:
    writable = {
        name: value.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        for name, value in values.items()
    }
    assert as_server_reads(encode(values, budget=10**6)) == writable


@given(st.text())
def test_escape_adds_backslashes_and_nothing_else(value: str) -> None:
    assert "\0" not in escape(value)
    escape(value).encode()  # no lone surrogate is left


@pytest.mark.parametrize(
    "inherited", ["-c statement_timeout=0", "-c a.b=c\\ d  --x.y=z", "-c x.y=" + "z" * 5000]
)
def test_what_the_user_had_set_stays_in_front_and_whole(inherited: str) -> None:
    assert encode({"audit.run_id": "r"}, inherited) == f"{inherited} -c audit.run_id=r"


def test_blank_inherited_options_leave_no_trace() -> None:
    assert encode({"audit.run_id": "r"}, "  ") == "-c audit.run_id=r"


def people(count: int, name: str = "Grace Hopper") -> tuple[Author, ...]:
    return tuple(
        Author(person=Person(name=f"{name} {n}", id=n + 1), roles=(AuthorRole.AUTHOR,), commits=1)
        for n in range(count)
    )


def settings_of(authors: tuple[Author, ...], name: str = "Ada Lovelace") -> dict[str, str]:
    ada = Person(name=name, email="ada@example.org", login="ada", id=7)
    return session_settings(
        run_id=UUID(int=1),
        run_url="https://github.com/o/r/actions/runs/1/attempts/1",
        change_set=ChangeSet(head_sha="c0ffee", head=Commit(sha="c0ffee", authors=(ada,))),
        attribution=Attribution(
            authors=authors,
            mergers=(Merger(person=ada, pull_request=12),),
            reviewers=(Reviewer(person=ada, pull_request=12, state=ReviewState.APPROVED),),
        ),
    )


@pytest.mark.parametrize("count", [1, 15, 16, 40, 400])
def test_lists_are_shortened_to_the_budget_and_say_by_how_many(count: int) -> None:
    options = encode(settings_of(people(count)))
    assert len(options.encode()) < 4000
    read = as_server_reads(options)
    authors = json.loads(read["audit.authors"])
    named = [each for each in authors if "more" not in each]
    assert len(named) + sum(each.get("more", 0) for each in authors) == count
    assert json.loads(read["audit.reviewers"])[0]["state"] == "APPROVED"
    assert json.loads(read["audit.merger"])[0]["login"] == "ada"
    assert options.isascii()


def test_a_value_that_does_not_fit_is_left_out_whole_and_the_rest_arrives() -> None:
    read = as_server_reads(encode(settings_of(people(1), name="A" * 5000)))
    assert "audit.user_name" not in read
    assert read["audit.user_email"] == "ada@example.org"
    assert json.loads(read["audit.merger"]) == [{"more": 1}]


@given(st.integers(min_value=0, max_value=3000), st.integers(min_value=0, max_value=60))
def test_the_run_always_arrives(inherited: int, authors: int) -> None:
    options = encode(settings_of(people(authors)), "-c x.y=" + "z" * inherited)
    assert as_server_reads(options)["audit.run_id"] == str(UUID(int=1))
    assert len(options.encode()) < 4000


def test_a_name_that_is_not_ascii_travels_as_utf8_in_user_name_and_as_ascii_in_lists() -> None:
    settings = settings_of(people(1, name="名 😀"), name="名 😀")
    assert settings["audit.user_name"] == "名 😀"
    assert settings["audit.authors"].isascii()
    assert json.loads(settings["audit.authors"])[0]["name"] == "名 😀 0"
