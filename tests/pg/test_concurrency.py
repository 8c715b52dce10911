"""Do many sessions at once lose, mix or hold up anything? And is what was rolled back never there?"""

from __future__ import annotations

import threading

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from servers import Database


def test_eight_writers_beside_a_transaction_that_stays_open(audited: Database) -> None:
    holder = audited.connect(autocommit=False)
    holder.execute("create table held (a int)")
    failures: list[str] = []

    def work(number: int) -> None:
        try:
            with psycopg.connect(
                audited.url(), autocommit=True, options=f"-c audit.user_name=w{number}"
            ) as session:
                session.execute("set lock_timeout = '10s'")
                for turn in range(15):
                    session.execute(
                        f"create table t{number}_{turn} (a int); drop table t{number}_{turn}".encode()
                    )
        except psycopg.Error as error:
            failures.append(str(error))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    holder.commit()
    assert not failures
    rows = audited.rows(
        "select application_user_name, count(*), count(distinct transaction_audit_id) from audit.history"
        " where application_user_name is not null group by 1 order by 1"
    )
    assert rows == [(f"w{number}", 30, 15) for number in range(8)]
    wrong = audited.rows(
        "select object_identity from audit.history where application_user_name is not null"
        " and object_identity not like 'public.t' || substr(application_user_name, 2) || '\\_%%'"
    )
    assert wrong == []
    assert audited.rows("select count(*) from audit.history where object_identity = 'public.held'") == [(1,)]


STEPS = st.lists(
    st.sampled_from(["create", "rename", "drop", "savepoint", "release", "rollback to", "comment"]),
    max_size=12,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, ending=st.sampled_from(["commit", "rollback"]))
def test_the_trail_holds_exactly_what_was_committed(
    newest_audited: Database, steps: list[str], ending: str
) -> None:
    with psycopg.connect(newest_audited.url(), autocommit=True) as session:
        start = session.execute("select count(*) from audit.transaction_audit").fetchone()
        assert start is not None
        expected: list[tuple[str, str]] = []
        marks: list[tuple[int, list[str]]] = []
        tables: list[str] = []
        session.execute("begin")
        for number, step in enumerate(steps):
            name = f"n{number}"
            if step == "create":
                session.execute(f"create table {name} (a int)".encode())
                tables.append(name)
                expected.append(("CREATE TABLE", name))
            elif step == "savepoint":
                session.execute(f"savepoint s{len(marks)}".encode())
                marks.append((len(expected), tables.copy()))
            elif step in ("release", "rollback to") and marks:
                length, before = marks.pop()
                session.execute(f"{step} savepoint s{len(marks)}".encode())
                if step == "rollback to":
                    expected, tables = expected[:length], before
            elif step in ("rename", "drop", "comment") and tables:
                table = tables.pop()
                if step == "rename":
                    session.execute(f"alter table {table} rename to {name}".encode())
                    tables.append(name)
                    expected.append(("ALTER TABLE", name))
                elif step == "drop":
                    session.execute(f"drop table {table}".encode())
                    expected.append(("DROP TABLE", table))
                else:
                    session.execute(f"comment on table {table} is 'x'".encode())
                    tables.append(table)
                    expected.append(("COMMENT", table))
        session.execute(ending.encode())
        got = session.execute(
            "select command_tag, substr(object_identity, 8), position from audit.history"
            " where transaction_audit_id in"
            " (select id from audit.transaction_audit order by event_time offset %s) order by position",
            [start[0]],
        ).fetchall()
        session.execute("drop schema public cascade; create schema public")
    wanted = expected if ending == "commit" else []
    assert [(tag, name) for tag, name, _ in got] == wanted
    assert [position for _, _, position in got] == list(range(1, len(wanted) + 1))
