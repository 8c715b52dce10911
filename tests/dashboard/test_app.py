"""Do the pages, the exports and the static site say what the trail says, also beside a dead database?"""

from __future__ import annotations

import csv
import io
import json
import re
import socket
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

import httpx
import psycopg
import pytest
from addresses import serving_at
from servers import Database

from audit_action import cli
from audit_action.dashboard.database import Database as Shown
from audit_action.dashboard.filters import Filter
from audit_action.dashboard.fleet import Fleet
from audit_action.dashboard.pages import Pages
from audit_action.dashboard.site import write_site
from audit_action.errors import NothingWasRun
from audit_action.trail import Trail


def get(address: str) -> httpx.Response:
    return httpx.get(address, timeout=30)


class Links(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.hrefs: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.hrefs += [value for name, value in attrs if name in ("href", "src") and value]


def test_every_link_leads_somewhere(site: str) -> None:
    waiting, seen = ["/"], set()
    while waiting and len(seen) < 150:
        path = waiting.pop()
        answer = get(site + path)
        assert answer.status_code == 200, path
        seen.add(path)
        if "text/html" in answer.headers["content-type"]:
            for href in Links(answer.text).hrefs:
                href = urldefrag(href)[0]
                if href.startswith("/") and href not in seen and href not in waiting:
                    waiting.append(href)
    assert len(seen) > 60


def test_the_timeline_groups_and_marks(site: str) -> None:
    page = get(site).text
    assert page.count('class="entry manual"') == 3
    assert "<b>5</b> runs and <b>3</b> changes outside runs" in page
    assert re.search(r'class="status failed">failed', page)
    assert "drop column" in page
    assert 'href="https://github.com/brickyard/storefront/pull/47"' in page
    assert "<svg" in page
    assert "in migration runs" in page


def test_hits_are_marked_and_counted(site: str) -> None:
    page = get(f"{site}/?q=OWN_row").text
    assert "<mark>own_row</mark>" in page
    assert "<b>1</b> run and <b>0</b> changes" in page


def test_a_transaction_s_page_follows_long_messages(other: Database) -> None:
    with psycopg.connect(other.url(), autocommit=True) as admin:
        admin.execute(";".join(f"create view public.v{n} as select {n} as n" for n in range(700)).encode())
    with serving_at([other.url("dash_reader")]) as address:
        path = re.findall(r'href="(/transaction/[0-9a-f-]+)"', get(address).text)[0]
        shown: list[str] = []
        while path:
            page = get(address + path).text
            assert len(page) < 500_000
            shown += re.findall(r"<code>public\.v(\d+)</code>", page)
            following = re.search(r'href="(/transaction/[^"]+position=\d+)"', page)
            path = following[1] if following else ""
        assert sorted(map(int, shown)) == list(range(700))


def test_the_exports_hold_every_event_and_heed_the_filter(site: str, shop: Database) -> None:
    total = shop.rows("select count(*) from audit.history")[0][0]
    lines = [json.loads(line) for line in get(f"{site}/export.jsonl").text.splitlines()]
    rows = list(csv.DictReader(io.StringIO(get(f"{site}/export.csv").text)))
    assert len(lines) == len(rows) == total
    assert {each["database"] for each in lines} == {"shop"}
    assert [each["object_identity"] or "" for each in lines] == [each["object_identity"] for each in rows]
    manual = get(f"{site}/export.jsonl?manual=1&q=orders").text.splitlines()
    assert [json.loads(each)["object_identity"] for each in manual] == ["public.orders_by_hand"]
    retired = [
        each for each in rows if each["object_identity"] == "public.orders" and each["event"] == "drop"
    ]
    assert retired[0]["authors"] == "bliskov; rperlman"
    assert retired[0]["reviewers"] == "ghopper (APPROVED)"


def test_the_command_line_exports_the_same(
    shop: Database, site: str, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    url = f"shop={shop.url('dash_reader')}"
    for kind in ("csv", "jsonl"):
        target = tmp_path / f"history.{kind}"
        assert cli.main(["export", f"--{kind}", str(target), "--database-url", url, "--kind", "drop"]) == 0
        assert target.read_bytes() == get(f"{site}/export.{kind}?kind=drop").content
    assert cli.main(["export", "--html", str(tmp_path / "x"), "--database-url", shop.url()]) == 2


def test_a_formula_is_text_in_a_spreadsheet(other: Database) -> None:
    with psycopg.connect(other.url(), autocommit=True) as admin:
        admin.execute("""create table public."=cmd|' /C calc'!A0" (id int)""")
        admin.execute("set application_name = '=1+1'")
        admin.execute("create table public.t (id int)")
    with serving_at([other.url("dash_reader")]) as address:
        rows = list(csv.DictReader(io.StringIO(get(f"{address}/export.csv").text)))
        assert rows[0]["application_name"] == "'=1+1"
        assert json.loads(get(f"{address}/export.jsonl").text.splitlines()[0])["application_name"] == "=1+1"


def test_an_empty_trail_says_so(other: Database) -> None:
    with serving_at([other.url("dash_reader")]) as address:
        assert "Nothing is recorded yet" in get(address).text
        assert "Nothing was found" in get(f"{address}/?q=x").text


def test_the_state_says_what_to_do(other: Database) -> None:
    with psycopg.connect(other.url(), autocommit=True) as admin:
        admin.execute("alter event trigger track_schema_drops disable")
        admin.execute("""select audit.begin_run('{"repository": "a/b", "workflow": "Stuck"}')""")
    with serving_at([other.url("dash_reader")]) as address:
        page = get(f"{address}/state").text
    assert "What to do:" in page
    assert "schema-audit install" in page
    assert re.search(r'class="bad"><th scope="row">.*track_schema_drops', page)
    assert "Stuck" in page


def test_several_databases_are_one_page_and_a_dead_one_is_shown_as_such(
    shop: Database, other: Database
) -> None:
    with psycopg.connect(other.url(), autocommit=True) as admin:
        admin.execute("create table public.elsewhere (id int)")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        dead = f"postgresql://x@127.0.0.1:{taken.getsockname()[1]}/gone"
        urls = [f"shop={shop.url('dash_reader')}", f"other={other.url('dash_reader')}", f"dead={dead}"]
        with serving_at(urls, timeout=3.0) as address:
            page = get(address)
            assert page.status_code == 200
            assert "public.elsewhere" in page.text
            assert "Retire the old orders" in page.text
            assert re.search(r'class="problem".*<b>dead</b>', page.text)
            assert "<b>5</b> runs and <b>4</b> changes" in page.text
            alone = get(f"{address}/?database=other").text
            assert "public.elsewhere" in alone
            assert "Retire the old orders" not in alone
            run = re.findall(r'href="(/run/[0-9a-f-]+)"', page.text)[0]
            assert get(address + run).status_code == 200
            assert get(f"{address}/?database=dead").status_code == 503
            assert get(f"{address}/run/00000000-0000-0000-0000-000000000000").status_code == 503
            assert get(f"{address}/export.csv").status_code == 503
            assert get(f"{address}/export.csv?database=shop").status_code == 200


def test_a_slow_database_keeps_no_page_waiting(shop: Database, other: Database) -> None:
    """Another session holds the trail of one: its queries wait for the lock until their time is over."""
    with psycopg.connect(other.url()) as holder:
        holder.execute("lock table audit.ddl_audit in access exclusive mode")
        with serving_at(
            [f"shop={shop.url('dash_reader')}", f"other={other.url('dash_reader')}"], timeout=1.0
        ) as address:
            page = get(address).text
    assert "Retire the old orders" in page
    assert "did not answer" in page


def test_fifty_clients_at_once(site: str) -> None:
    """All of them together; `bench/clients.py` does it for half a minute."""
    paths = ["/", "/?q=orders", "/state", "/object?name=public.members", "/person?name=ghopper"]
    together = threading.Barrier(50)

    def client(number: int) -> list[int]:
        with httpx.Client(base_url=site, timeout=60) as session:
            together.wait()
            return [session.get(paths[(number + turn) % len(paths)]).status_code for turn in range(5)]

    with ThreadPoolExecutor(50) as threads:
        codes = Counter(code for each in threads.map(client, range(50)) for code in each)
    assert codes == {200: 250}


# --- The static site -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(shop: Database, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("static") / "site"
    assert cli.main(["export", "--html", str(made), "--database-url", f"shop={shop.url('dash_reader')}"]) == 0
    return made


def test_every_link_of_the_static_site_is_a_file_of_it(folder: Path) -> None:
    pages = sorted(folder.rglob("*.html"))
    assert len(pages) > 40
    for page in pages:
        for href in Links(page.read_text()).hrefs:
            if not href.startswith(("https://", "#")):
                assert (page.parent / unquote(urldefrag(href)[0])).resolve().is_file(), (page, href)


def test_the_static_site_tells_everything(folder: Path, reader: Shown) -> None:
    index = (folder / "index.html").read_text()
    assert "Retire the old orders" in index
    assert index.count('class="entry') == 8
    data = (folder / "static" / "search-data.js").read_text()
    rows = json.loads(data.removeprefix("window.TRAIL = ").removesuffix(";\n"))
    assert len(rows) == 8
    assert "<" not in data
    assert all((folder / each["href"]).is_file() for each in rows)
    assert sum(each["manual"] for each in rows) == 3


def test_the_static_site_replaces_itself_and_nothing_else(
    folder: Path, reader: Shown, tmp_path: Path
) -> None:
    fleet = Fleet([reader])
    write_site(fleet, Filter(manual=True), folder.parent / "again")
    (folder.parent / "again" / "old.html").write_text("")
    write_site(fleet, Filter(manual=True), folder.parent / "again")
    assert not (folder.parent / "again" / "old.html").exists()
    (tmp_path / "mine.txt").write_text("")
    with pytest.raises(NothingWasRun, match="not a site of ours"):
        write_site(fleet, Filter(), tmp_path)
    assert (tmp_path / "mine.txt").exists()


def test_a_person_s_page_adds_up(reader: Shown) -> None:
    timeline = Pages(Fleet([reader])).timeline(Filter(person="ghopper"))
    assert (timeline.runs, timeline.manual) == (4, 0)


def test_a_trail_is_needed(other: Database) -> None:
    with psycopg.connect(other.url(), autocommit=True) as admin:
        admin.execute("create database without_trail_dash")
    bare = other.url().rpartition("/")[0] + "/without_trail_dash"
    try:
        assert (
            cli.main(["dashboard", "--database-url", bare, "--allow-writer", "--listen", "127.0.0.1:0x"]) == 2
        )
        with serving_at([bare]) as address:
            answer = get(address)
        assert answer.status_code == 503
        assert "has no trail" in answer.text
        Trail(bare).install()
    finally:
        with psycopg.connect(other.url(), autocommit=True) as admin:
            admin.execute("drop database without_trail_dash with (force)")
