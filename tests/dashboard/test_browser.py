"""Does a browser show the pages to everybody: without JavaScript, in the dark, on a phone, by keyboard?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from npm_packages import installed
from playwright.sync_api import Browser, Page, Request, expect
from servers import ROOT, Database

from audit_action import cli

AXE_VERSION = "4.14.1"

expect.set_options(timeout=30_000)  # as patient as Playwright's actions are


@contextmanager
def page_of(browser: Browser, address: str = "", **options: Any) -> Iterator[tuple[Page, list[str]]]:
    """A page, and everything that went wrong on it: a script that ran where it must not is among it.

    A click returns before the page that it leads to is there, so what follows it is asked with `expect`,
    which waits.
    """
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
    troubles: list[str] = []
    page = context.new_page()
    page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda problem: troubles.append(str(problem)))
    page.on("dialog", lambda dialog: (troubles.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    page.on("requestfailed", lambda request: None if _is_left(request) else troubles.append(request.url))
    page.on(
        "request", lambda request: None if _is_own(request.url, address) else troubles.append(request.url)
    )
    try:
        yield page, troubles
    finally:
        context.close()


def _is_left(request: Request) -> bool:
    """Whether it was given up because the page was left."""
    return request.failure == "net::ERR_ABORTED"


def _is_own(url: str, address: str) -> bool:
    return url.startswith((address, "file:", "data:")) if address else True


@pytest.fixture(scope="session")
def axe() -> str:
    """axe-core's script, fetched once from npm."""
    packages = installed(ROOT / "build" / "axe", f"axe-core@{AXE_VERSION}")
    return (packages / "axe-core" / "axe.min.js").read_text()


@pytest.fixture(scope="session")
def paths(site: str) -> list[str]:
    """One page of each kind."""
    text = httpx.get(site).text
    runs = re.findall(r'href="(/run/[0-9a-f-]+)"', text)
    transactions = re.findall(r'href="(/transaction/[0-9a-f-]+)"', httpx.get(f"{site}/?manual=1").text)
    return [
        "/",
        "/?q=members&person=adalovelace&destructive=1",
        "/?q=nothing-has-this",
        runs[0],
        runs[-1],
        transactions[0],
        "/object?name=public.members",
        "/person?name=adalovelace",
        "/state",
        "/nowhere",
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_serious(
    browser: Browser, site: str, axe: str, paths: list[str], scheme: Any, width: int
) -> None:
    found = []
    with page_of(browser, color_scheme=scheme, viewport={"width": width, "height": 844}, bypass_csp=True) as (
        page,
        _,
    ):
        for path in paths:
            page.goto(site + path)
            page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
            page.evaluate(axe)
            result = page.evaluate(
                "async () => (await axe.run(document, {resultTypes: ['violations']})).violations"
            )
            found += [
                f"{path}: {each['id']} ({each['impact']}): {each['nodes'][0]['html'][:150]}"
                for each in result
                if each["impact"] in ("serious", "critical")
            ]
            overflow = page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert overflow <= 0, f"{path} is {overflow}px wider than the screen"
    assert not found, "\n".join(found)


def test_hostile_names_run_no_script(browser: Browser, site: str, paths: list[str]) -> None:
    with page_of(browser, site) as (page, troubles):
        for path in paths:
            page.goto(site + path)
            page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
            assert "owned" not in page.title()
        assert [each for each in troubles if "404" not in each] == []


def test_everything_works_without_javascript(browser: Browser, site: str) -> None:
    with page_of(browser, site, java_script_enabled=False) as (page, troubles):
        page.goto(site)
        page.get_by_text("Filters", exact=True).click()
        page.get_by_label("Words in the SQL").fill("own_row")
        page.get_by_label("Person").fill("adalovelace")
        page.get_by_role("button", name="Search").click()
        expect(page.locator("article.entry")).to_have_count(1)
        expect(page.locator("mark").first).to_have_text("own_row")
        expect(page).to_have_url(re.compile("person=adalovelace"))
        page.get_by_label("Only destructive").check()
        page.get_by_role("button", name="Search").click()
        expect(page.get_by_text("Nothing was found")).to_be_visible()
        page.get_by_role("link", name="Clear the filter").click()
        expect(page.locator("article.entry")).to_have_count(8)
        page.get_by_role("link", name="Create users and orders").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Create users and orders")
        page.locator("summary").first.click()
        expect(page.get_by_text("as they like to be called").first).to_be_visible()
        page.get_by_role("link", name="public.users", exact=True).first.click()
        expect(page.get_by_role("heading", level=1)).to_have_text("public.users")
        page.get_by_role("link", name="Ada Lovelace").first.click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Ada Lovelace")
        assert troubles == []


def test_a_little_javascript_makes_it_better(browser: Browser, site: str) -> None:
    with page_of(browser, site) as (page, troubles):
        page.goto(site)
        expect(page.locator(".ago").first).to_be_visible()
        page.keyboard.press("/")
        assert page.evaluate("document.activeElement.id") == "q"
        page.keyboard.type("orders")
        page.keyboard.press("Enter")
        page.wait_for_url("**/?q=orders")  # and nothing else: empty fields say nothing
        assert troubles == []


def test_the_keyboard_reaches_everything(browser: Browser, site: str) -> None:
    with page_of(browser, site) as (page, _):
        page.goto(site)
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
        reached = set()
        for _ in range(60):
            page.keyboard.press("Tab")
            reached.add(
                page.evaluate("document.activeElement.tagName + ' ' + document.activeElement.className")
            )
        assert {"INPUT ", "BUTTON ", "SUMMARY ", "A person"} <= reached


def test_the_static_site_searches_from_the_file_system(
    browser: Browser, shop: Database, tmp_path: Path
) -> None:
    folder = tmp_path / "site"
    assert (
        cli.main(["export", "--html", str(folder), "--database-url", f"shop={shop.url('dash_reader')}"]) == 0
    )
    with page_of(browser) as (page, troubles):
        page.goto((folder / "index.html").as_uri())
        expect(page.locator(".timeline article")).to_have_count(8)
        page.get_by_label("Words in titles, names and SQL").fill("own_ROW current_user")
        expect(page.locator(".results article")).to_have_count(1)
        page.get_by_label("Words in titles, names and SQL").fill("")
        page.get_by_label("Only outside runs").check()
        expect(page.locator(".results article")).to_have_count(3)
        page.locator(".results a").first.click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Changed by hand")
        page.get_by_role("link", name="Outside runs").click()
        expect(page.locator(".results article")).to_have_count(3)
        page.goto((folder / "index.html").as_uri())
        page.get_by_label("Words in titles, names and SQL").fill("script")
        page.locator(".results a").first.click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("hostile")
        assert troubles == []
