"""How does the dashboard look? Draws its pages over the demo's history, light and dark.

    python docs/make_dashboard_pictures.py                draws what the documentation shows
    python docs/make_dashboard_pictures.py --all FOLDER   draws every kind of page, also on a phone

Needs Chromium and the development requirements.
"""

from __future__ import annotations

import argparse
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parent.parent
PAGES = {
    "timeline": "/",
    "search": "/?q=orders&destructive=1",
    "object": "/object?name=public.customers",
    "person": "/person?name=ghopper",
    "state": "/state",
}
SHOWN = ("timeline",)
WIDTHS = {"": 1080, "-phone": 390}
FLAGS = "--no-sandbox --disable-gpu --disable-background-networking --no-first-run"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--all", metavar="FOLDER", type=Path, help="draw every page into this folder")
    folder = parser.parse_args().all
    widths = WIDTHS if folder else {"": WIDTHS[""]}
    pages = PAGES if folder else {name: PAGES[name] for name in SHOWN}
    folder = folder or ROOT / "docs" / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium") or shutil.which("google-chrome") or sys.exit("Chromium is missing")
    with demo() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS.split())
        for theme in ("light", "dark"):
            for ending, width in widths.items():
                page = browser.new_page(
                    color_scheme=theme, viewport={"width": width, "height": 700}, device_scale_factor=1.5
                )
                for name, path in pages.items():
                    page.goto(address + path)
                    # One command with its SQL, as a reader opens it.
                    for each in page.locator("summary", has_text="Created index").all()[:1]:
                        each.click()
                    picture = folder / f"dashboard-{name}{ending}-{theme}.png"
                    page.screenshot(path=picture, full_page=True)
                    print(picture)
        browser.close()


@contextmanager
def demo() -> Iterator[str]:
    """The demo's dashboard, on a free port; its address."""
    program = Path(sys.executable).with_name("schema-audit")
    with subprocess.Popen([program, "demo", "--dashboard"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None  # asked for
        try:
            addresses = (re.search(r"http://127\.0\.0\.1:\d+", line) for line in process.stdout)
            yield next(each[0] for each in addresses if each)
        finally:
            process.send_signal(signal.SIGINT)
            process.stdout.read()


if __name__ == "__main__":
    main()
