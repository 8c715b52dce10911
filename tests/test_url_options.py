"""Do options get into every form of connection string as its readers read them, and change nothing else?"""

from __future__ import annotations

import string
from urllib.parse import unquote

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict
from servers import Database

from audit_action.pgoptions import encode
from audit_action.url_options import as_libpq, options_of, takes_options, with_options

OURS = "-c a.b=+\\ c"
WRITTEN = "-c%20a.b%3D%2B%5C%20c"


@pytest.mark.parametrize(
    ("url", "own", "told"),
    [
        ("postgres://u:p@h/d", None, f"postgres://u:p@h/d?options={WRITTEN}"),
        ("postgresql://u:p@h/d?", None, f"postgresql://u:p@h/d?options={WRITTEN}"),
        ("postgresql://", None, f"postgresql://?options={WRITTEN}"),
        ("postgresql:///d?host=/run/pg", None, f"postgresql:///d?options={WRITTEN}&host=/run/pg"),
        (
            "postgres://u:p@h1:1,[::1]:2/d?target_session_attrs=any",
            None,
            f"postgres://u:p@h1:1,[::1]:2/d?options={WRITTEN}&target_session_attrs=any",
        ),
        ("postgres://u:w%40x?y+&=%%@h/d", None, f"postgres://u:w%40x?y+&=%%@h/d?options={WRITTEN}"),
        ("postgres://u:?options=@h/d", None, f"postgres://u:?options=@h/d?options={WRITTEN}"),
        ("postgres://u:a#b@h/d", None, f"postgres://u:a#b@h/d?options={WRITTEN}"),
        ("postgres://h/d?a=b#f", None, f"postgres://h/d?options={WRITTEN}&a=b#f"),
        ("postgres://h/d?myoptions=x", None, f"postgres://h/d?options={WRITTEN}&myoptions=x"),
        (
            "postgres://h/d?options=-c%20x.y%3Dz",
            "-c x.y=z",
            f"postgres://h/d?options=-c%20x.y%3Dz%20{WRITTEN}",
        ),
        ("postgres://h/d?options=&a=b", "", f"postgres://h/d?options={WRITTEN}&a=b"),
        ("postgres://h/d?opt%69ons=x", "x", f"postgres://h/d?opt%69ons=x%20{WRITTEN}"),
        (
            "postgres://u:p@e-1.neon.tech/d?options=endpoint%3De-1&sslmode=require",
            "endpoint=e-1",
            f"postgres://u:p@e-1.neon.tech/d?options=endpoint%3De-1%20{WRITTEN}&sslmode=require",
        ),
        ("postgres://h/d?a=b&options=x#f", "x", f"postgres://h/d?a=b&options=x%20{WRITTEN}#f"),
        ("jdbc:postgresql://h/d", None, f"jdbc:postgresql://h/d?options={WRITTEN}"),
        ("jdbc:postgresql:d", None, f"jdbc:postgresql:d?options={WRITTEN}"),
        (
            "jdbc:postgresql://h1:1,h2/d?user=u@x&password=p%26",
            None,
            f"jdbc:postgresql://h1:1,h2/d?options={WRITTEN}&user=u@x&password=p%26",
        ),
        ("jdbc:postgresql://h/d?options=x+y", "x+y", f"jdbc:postgresql://h/d?options=x+y%20{WRITTEN}"),
        ("postgresql+psycopg2://u:p@h/d", None, f"postgresql+psycopg2://u:p@h/d?options={WRITTEN}"),
        ("host=h dbname=d", None, "host=h dbname=d options='-c a.b=+\\\\ c'"),
        ("host=h options=x dbname='my d'", "x", "host=h options='x -c a.b=+\\\\ c' dbname='my d'"),
        (
            r"password='a options=\'b' options='-c x.y=\'z\''",
            "-c x.y='z'",
            r"password='a options=\'b' options='-c x.y=\'z\' -c a.b=+\\ c'",
        ),
    ],
)
def test_options_stand_behind_the_users_own_and_the_rest_is_untouched(
    url: str, own: str | None, told: str
) -> None:
    assert takes_options(url)
    assert options_of(url) == own
    assert with_options(url, OURS) == told


@pytest.mark.parametrize(
    "text",
    [
        "",
        "shop",
        "mysql://u:p@h/d",
        "https://h/?options=x",
        "sqlite:///x.db",
        "r2dbc:postgresql://h/d",
        "prisma+postgres://accelerate.example/?api_key=k",
        "jdbc:mysql://h/d",
    ],
)
def test_what_is_no_postgres_address_takes_no_options(text: str) -> None:
    assert not takes_options(text)


WORDS = st.text(alphabet=string.ascii_letters + string.digits + "-_.~%20", min_size=1, max_size=8)
TEXT = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=30)


@given(
    user=st.text(
        alphabet=string.ascii_letters
        + string.punctuation.replace("@", "").replace("/", "").replace(":", "").replace("%", ""),
        min_size=1,
        max_size=8,
    ),
    secret=st.text(alphabet=string.ascii_letters + "?&=#+!$*()[];,", max_size=12),
    parameters=st.dictionaries(
        st.sampled_from(["sslmode", "keepalives", "connect_timeout"]), st.integers(0, 9), max_size=3
    ),
    own=st.none() | TEXT,
    value=TEXT,
)
def test_libpq_reads_every_url_as_before_and_the_options_too(
    user: str, secret: str, parameters: dict[str, int], own: str | None, value: str
) -> None:
    """psycopg's parser is libpq's own (PQconninfoParse)."""
    query = [f"{name}={number}" for name, number in parameters.items()]
    if own is not None:
        query.append("options=" + "".join(f"%{byte:02X}" for byte in own.encode()))
    url = f"postgresql://{user}:{secret}@db.example:5432/shop" + (f"?{'&'.join(query)}" if query else "")
    before = conninfo_to_dict(url)
    ours = encode({"audit.user_name": value or "x"})
    after = conninfo_to_dict(with_options(url, ours))
    assert options_of(url) == own
    assert after.pop("options") == (f"{own} {ours}" if own else ours)
    before.pop("options", None)
    assert after == before


@given(
    password=TEXT.filter(bool),
    own=st.none() | TEXT.filter(bool),
    value=TEXT,
)
def test_libpq_reads_every_string_of_pairs_as_before_and_the_options_too(
    password: str, own: str | None, value: str
) -> None:
    def quoted(text: str) -> str:
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"

    pairs = (
        f"host=h password={quoted(password)}"
        + ("" if own is None else f" options = {quoted(own)}")
        + " user=u"
    )
    ours = encode({"audit.user_name": value or "x"})
    after = conninfo_to_dict(with_options(pairs, ours))
    assert after == {
        "host": "h",
        "password": password,
        "user": "u",
        "options": f"{own} {ours}" if own else ours,
    }


@given(value=TEXT)
def test_what_is_added_to_a_jdbc_url_is_ascii_without_a_plus_and_decodes_to_the_same(value: str) -> None:
    """pgjdbc decodes with java.net.URLDecoder: UTF-8 behind percent signs, and `+` as a space."""
    ours = encode({"audit.user_name": value or "x"})
    added = with_options("jdbc:postgresql://h/d", ours).partition("?options=")[2]
    assert added.isascii()
    assert not set(added) & set("+&#? ")
    assert unquote(added) == ours


def test_a_real_server_reads_the_options_of_url_and_pairs(newest_audited: Database) -> None:
    name = 'Ada O\'Neil \\ "Q" 100% é 名 😀'
    ours = encode({"audit.user_name": name})
    pairs = f"host=127.0.0.1 port={newest_audited.server.port} user=postgres dbname={newest_audited.name}"
    for connection_string in (newest_audited.url(), pairs, f"{newest_audited.url()}?options=-c%20x.y%3Dz"):
        with psycopg.connect(with_options(connection_string, ours)) as connection:
            assert connection.execute("show audit.user_name").fetchone() == (name,)


@pytest.mark.parametrize(
    ("url", "plain"),
    [
        ("jdbc:postgresql://h:1/d?options=x&ssl=true", "postgresql://ci:pw@h:1/d?options=x"),
        ("jdbc:postgresql://h/d?user=u&password=p", "postgresql://h/d?user=u&password=p"),
        ("jdbc:postgresql:d", "postgresql://ci:pw@/d"),
        ("postgresql+asyncpg://u:p@h/d?options=x&ssl=require", "postgresql://u:p@h/d?options=x"),
        ("postgres://u:p@h1:1,h2/d", "postgresql://u:p@h1:1,h2/d"),
        ("host=h user=u", "host=h user=u"),
    ],
)
def test_any_form_can_be_tried_by_libpq(url: str, plain: str) -> None:
    assert as_libpq(url, "postgres://ci:pw@other/d") == plain
    conninfo_to_dict(plain)
