"""How is text that is not ours shown on a page? As text: visible, coloured as SQL, hits marked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import urlsplit

from markupsafe import Markup, escape

from audit_action.report.record import Name, Sentence
from audit_action.report.safe_text import shortened, visible

_KEYWORDS = (
    "add all alter always analyze and as asc before begin between by cascade case cast check cluster "
    "collate column comment commit concurrently constraint create cross current database declare "
    "default deferrable delete desc disable distinct do domain drop each else enable end exclude "
    "execute exists extension false for foreign from full function generated grant group having "
    "identity if in index inherit initially inner insert instead into is isolation join key language "
    "lateral left like limit lock materialized no not nothing null of offset on only or order outer "
    "over owned owner partition policy primary privileges procedure publication range references "
    "refresh rename replace restrict returning returns revoke right role rollback row rows rule "
    "schema security select sequence server set statistics storage table tablespace temp temporary "
    "then to trigger truncate type union unique unlogged update using validate values view volatile "
    "when where with without "
)
_TOKEN = re.compile(
    r"(?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))"
    r"|(?P<string>[eE]?'(?:[^'\\]|''|\\.)*(?:'|\Z)|(?P<tag>\$\w*\$).*?(?:(?P=tag)|\Z))"
    r"|(?P<quoted>\"(?:[^\"]|\"\")*(?:\"|\Z))"
    r"|(?P<number>\b\d+(?:\.\d+)?\b)"
    rf"|(?P<keyword>\b(?i:{'|'.join(_KEYWORDS.split())})\b)",
    re.DOTALL,
)
_CLASSES = {"comment": "c", "string": "s", "quoted": "q", "number": "n", "keyword": "k"}


def sentence(said: Sentence, words: Sequence[str] = ()) -> Markup:
    """A sentence of the report; the database's own names as code."""
    return _sentence(said, tuple(words))


@lru_cache(maxsize=2_000)  # what was committed does not change, and the newest is looked at most
def _sentence(said: Sentence, words: Sequence[str]) -> Markup:
    return Markup("").join(
        Markup("<code>{}</code>").format(marked(each.text, words))
        if isinstance(each, Name)
        else marked(each, words)
        for each in said
    )


def sql(text: str, words: Sequence[str] = (), limit: int = 20_000) -> Markup:
    """SQL with its keywords, literals and comments told apart, and hits marked.

    >>> print(sql("drop table a -- <b>"))
    <span class=k>drop</span> <span class=k>table</span> a <span class=c>-- &lt;b&gt;</span>
    """
    return _sql(text, tuple(words), limit)


@lru_cache(maxsize=2_000)
def _sql(text: str, words: Sequence[str], limit: int) -> Markup:
    shown = visible(shortened(text.replace("\r\n", "\n").strip(), limit), keep="\n\t")
    pieces: list[Markup] = []
    at = 0
    for token in _TOKEN.finditer(shown):
        pieces.append(_marked(shown[at : token.start()], words))
        kind = next(_CLASSES[name] for name in _CLASSES if token[name] is not None)
        pieces.append(Markup("<span class={}>{}</span>").format(kind, _marked(token[0], words)))
        at = token.end()
    pieces.append(_marked(shown[at:], words))
    return Markup("").join(pieces)


def marked(text: str, words: Sequence[str] = ()) -> Markup:
    """One line of text, with hits marked.

    >>> print(marked("a <b> ab", ["B"]))
    a &lt;<mark>b</mark>&gt; a<mark>b</mark>
    """
    return _marked(visible(shortened(text)), words)


def _marked(text: str, words: Sequence[str]) -> Markup:
    if not words:
        return escape(text)
    pattern = "|".join(re.escape(each) for each in sorted(words, key=len, reverse=True))
    pieces = re.split(f"({pattern})", text, flags=re.IGNORECASE)
    return Markup("").join(
        Markup("<mark>{}</mark>").format(each) if index % 2 else escape(each)
        for index, each in enumerate(pieces)
    )


def web(url: object) -> str:
    """The address of a page on the web; empty for everything else, `javascript:` above all.

    >>> web("https://github.com/a"), web("javascript:alert(1)")
    ('https://github.com/a', '')
    """
    found = str(url or "")
    try:
        parts = urlsplit(found)
    except ValueError:
        return ""
    return found if parts.scheme in ("https", "http") and parts.netloc else ""


def moment(time: datetime) -> Markup:
    """A time in UTC; the script adds how long ago that is."""
    utc = time.astimezone(UTC)
    return Markup('<time datetime="{}">{:%Y-%m-%d %H:%M} UTC</time>').format(
        utc.isoformat(timespec="seconds"), utc
    )
