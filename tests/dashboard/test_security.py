"""Is nobody let in who does not belong, and can nothing on a page harm who looks at it?"""

from __future__ import annotations

import base64
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import httpx
import pytest
from addresses import serving_at
from servers import Database

from audit_action.dashboard import security, serving
from audit_action.dashboard.database import Database as Shown
from audit_action.dashboard.fleet import Fleet
from audit_action.dashboard.security import Failures, hash_password, is_password, is_password_hash
from audit_action.errors import BadInput, NothingWasRun

PASSWORD = "correct horse battery"


def basic(password: str, user: str = "me") -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def status(
    address: str, path: str = "/state", headers: Mapping[str, str] | None = None, method: str = "GET"
) -> int:
    return httpx.request(method, address + path, headers=headers or {}).status_code


@contextmanager
def guarded(shop: Database, **asked: object) -> Iterator[str]:
    with serving_at([f"shop={shop.url('dash_reader')}"], **asked) as address:
        yield address


def test_every_answer_carries_the_headers_and_no_cookie(site: str) -> None:
    for path in (
        "/",
        "/static/style.css",
        "/nothing",
        "/run/00000000-0000-0000-0000-000000000000",
        "/export.csv",
    ):
        answer = httpx.get(site + path)
        for name, value in security.HEADERS.items():
            assert answer.headers[name] == value
        assert "set-cookie" not in answer.headers
        assert "server" not in answer.headers
    assert "unsafe" not in security.HEADERS["Content-Security-Policy"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"])
def test_only_get_is_answered(site: str, method: str) -> None:
    assert status(site, "/", method=method) == 405


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "localhost.evil.example:80"])
def test_another_host_name_is_not_answered_without_a_password(site: str, host: str) -> None:
    assert status(site, headers={"Host": host}) == 421
    assert status(site, headers={"Host": "localhost:9"}) == 200


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2fapp.py",
        "//static//../app.py",
        "/static/%00",
    ],
)
def test_no_other_file_can_be_read(site: str, path: str) -> None:
    port = int(site.rpartition(":")[2])
    import socket

    with socket.create_connection(("127.0.0.1", port)) as raw:
        raw.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: raw.recv(65536), b""))
    assert answer.split()[1] in (b"404", b"400"), answer[:200]


def test_a_password_lets_in_and_nothing_else_does(shop: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(security, "MAX_FAILURES", 1_000)
    monkeypatch.setattr(security, "MAX_FAILURES_OF_ALL", 1_000)
    with guarded(shop, password_hash=hash_password(PASSWORD)) as address:
        assert httpx.get(address).headers["www-authenticate"].startswith("Basic")
        right = basic(PASSWORD)["Authorization"]
        for wrong in (
            {},
            basic(""),
            basic("wrong"),
            basic(PASSWORD + " "),
            basic(PASSWORD.upper()),
            basic(PASSWORD[:-1]),
            {"Authorization": "Bearer " + right[6:]},
            {"Authorization": "Basic"},
            {"Authorization": "Basic !!!"},
            {"Authorization": "Basic " + base64.b64encode(b"\xff\xfe:x").decode()},
            {"X-Forwarded-User": "admin", "X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1"},
            {"Cookie": "session=" + right[6:]},
        ):
            assert status(address, headers=wrong) == 401, wrong
        two = httpx.get(address, headers=[("Authorization", right), ("Authorization", right)])
        assert two.status_code == 401
        for path in ("/", "/state", "/static/style.css", "/export.jsonl"):
            assert status(address, path, basic(PASSWORD)) == 200
            assert status(address, path, basic("wrong")) == 401
        assert status(address, headers=basic(PASSWORD, "anybody else")) == 200


def test_guessing_is_slowed_down_and_does_not_lock_out_who_is_in(shop: Database) -> None:
    with guarded(shop, password_hash=hash_password(PASSWORD)) as address:
        assert status(address, headers=basic(PASSWORD)) == 200
        tried = [status(address, headers=basic(f"guess {n}")) for n in range(security.MAX_FAILURES + 3)]
        assert tried[-1] == 429
        assert tried.count(429) >= 3
        assert status(address, headers=basic(PASSWORD)) == 200
        assert httpx.get(address, headers=basic("guess")).headers["retry-after"] == "60"


def test_failures_are_forgotten_after_a_minute_and_counted_for_everybody() -> None:
    now = [0.0]
    failures = Failures(now=lambda: now[0])
    for number in range(security.MAX_FAILURES_OF_ALL):
        failures.add(f"10.0.0.{number}")
    assert failures.too_many("192.0.2.1")
    now[0] = security.WINDOW + 1
    assert not failures.too_many("10.0.0.1")


def test_a_proxy_is_believed_at_its_own_address_alone(shop: Database) -> None:
    named = {"X-Forwarded-User": "ada"}
    with guarded(shop, proxies=("127.0.0.1",)) as address:
        assert status(address, headers=named) == 200
        assert status(address) == 403
        assert status(address, headers={"X-Forwarded-User": ""}) == 403
        twice = httpx.get(address, headers=[("X-Forwarded-User", "ada"), ("X-Forwarded-User", "eve")])
        assert twice.status_code == 403
    with guarded(shop, proxies=("10.1.2.3", "192.0.2.0/24")) as address:
        for forged in (
            {},
            {"X-Forwarded-For": "10.1.2.3"},
            {"Forwarded": "for=10.1.2.3"},
            {"X-Real-IP": "10.1.2.3"},
        ):
            assert status(address, headers={**named, **forged}) == 403


def test_a_proxy_and_a_password_are_both_ways_in(shop: Database) -> None:
    with guarded(shop, proxies=("10.1.2.3",), password_hash=hash_password(PASSWORD)) as address:
        assert status(address, headers={"X-Forwarded-User": "ada"}) == 401
        assert status(address, headers=basic(PASSWORD)) == 200


@pytest.mark.parametrize("listen", ["0.0.0.0:8000", "[::]:8000", "192.0.2.1:80", "example.org:80"])
def test_another_address_takes_an_authentication(listen: str) -> None:
    with pytest.raises(BadInput, match="nothing asks who comes"):
        serving.guard_for(serving.Asked(urls=(), listen=listen), serving.address(listen)[0])


@pytest.mark.parametrize("listen", ["127.0.0.1:80", "[::1]:80", "localhost:1", "8000", ":80", "127.0.0.2:1"])
def test_this_machine_takes_none(listen: str) -> None:
    host, _ = serving.address(listen)
    assert serving.guard_for(serving.Asked(urls=(), listen=listen), host).hosts


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"password_hash": "correct horse"}, "holds no hash"),
        ({"password_hash": "scrypt:2:8:1:00:00"}, "holds no hash"),
        ({"proxies": ("0.0.0.0/0",)}, "whole internet"),
        ({"proxies": ("::/0",)}, "whole internet"),
        ({"proxies": ("proxy.example",)}, "takes addresses"),
        ({"listen": "127.0.0.1"}, "HOST:PORT"),
        ({"listen": "127.0.0.1:99999"}, "HOST:PORT"),
    ],
)
def test_what_would_not_guard_is_refused(asked: dict[str, object], said: str) -> None:
    given = serving.Asked(urls=(), **asked)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match=said):
        serving.guard_for(given, serving.address(given.listen)[0])


def test_a_hash_is_of_its_password_alone() -> None:
    hashed = hash_password(PASSWORD)
    assert is_password_hash(hashed)
    assert hashed != hash_password(PASSWORD)
    assert PASSWORD not in hashed
    assert is_password(PASSWORD, hashed)
    assert not is_password(PASSWORD + "x", hashed)


def test_a_login_that_can_write_is_refused_unless_told(shop: Database) -> None:
    said: list[str] = []
    for user in ("postgres", "dash_ci"):
        fleet = Fleet([Shown(shop.url(user), name="shop")])
        fleet.open()
        try:
            with pytest.raises(NothingWasRun, match="audit_reader"):
                serving.check_logins(fleet, said.append, allow_writer=False)
            serving.check_logins(fleet, said.append, allow_writer=True)
        finally:
            fleet.close()
    assert len(said) == 2


def test_no_secret_is_in_a_record_or_on_a_page(site: str, shop: Database) -> None:
    asked = serving.Asked(urls=("postgresql://me:hunter2hunter2@db/x",), password_hash="scrypt:h")
    assert "hunter2" not in repr(asked)
    assert "scrypt" not in repr(asked)
    assert "hunter2" not in Shown("postgresql://me:hunter2hunter2@db/x").name
    assert str(shop.server.port) not in httpx.get(site).text


def test_hostile_text_is_text(site: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    paths = ["/", "/?q=%3Cscript%3Ealert(9)%3C/script%3E", "/?person=%22%3E%3Cimg+src=x+onerror=alert(1)%3E"]
    paths += [
        "/object?name=%3Cscript%3Ealert(1)%3C/script%3E",
        "/person?name=%3Cscript%3Ealert(1)%3C/script%3E",
    ]
    page = httpx.get(site).text
    paths += sorted(set(re.findall(r'href="(/(?:run|transaction)/[0-9a-f-]+)"', page)))
    assert len(paths) > 12
    for path in paths:
        text = httpx.get(site + path).text
        scripts = re.findall(r"<script[^>]*>", text)
        assert scripts == ['<script src="/static/page.js" defer>'], path
        assert not re.search(r"<[^>]+\son\w+=", re.sub(r'"[^"]*"', '""', text)), path
        assert "javascript:" not in " ".join(re.findall(r'href="([^"]*)"', text))
        assert "\u202e" not in text


def test_addresses_that_mean_nothing_are_answered_with_prose(site: str) -> None:
    for path in (
        "/run/not-a-uuid",
        "/run/00000000-0000-0000-0000-000000000000",
        "/transaction/00000000-0000-0000-0000-000000000000",
        "/object",
        "/person",
        "/object?name=%00",
        "/nothing",
    ):
        answer = httpx.get(site + path)
        assert answer.status_code == 404, path
        assert "<h1>" in answer.text
    for query in (
        "q=%00",
        "before=x",
        "since=9999-12-31&until=9999-12-31",
        "q=" + "x" * 5000,
        "kind=%FF",
        "q=%22",
    ):
        assert status(site, f"/?{query}") == 200, query
    transaction = re.findall(r'href="(/transaction/[0-9a-f-]+)"', httpx.get(site).text)[0]
    for position in ("0", "-1", "x", "9" * 30, "\u00b2"):
        assert status(site, f"{transaction}?position={position}") == 200
