"""How does text that is not ours stay text? Escaping for Markdown with HTML in it, and for terminals.

GitHub renders Markdown in steps: comments and HTML (cmark-gfm), then mentions, references and emoji on the
text that is left. Character references survive the first step and are plain characters in the second, so
what the second step looks for is broken by a zero-width space as well.
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote, urlsplit

from markupsafe import Markup

MAX_INLINE = 300
"""Characters of one piece of untrusted text in a line; the JSON has all of it."""

_BREAK = "​"  # zero-width space: ends a word for GitHub's mention, reference and link filters

_ENTITIES = {ord(each): f"&#{ord(each)};" for each in '*`[]\\|~#$^{}<>&"'}

_LOOKS_ALIVE = (
    re.compile(r"(?<=@)"),  # a mention, or an e-mail address
    re.compile(r"(?<=#)(?=\d)"),  # an issue
    re.compile(r"(?i)(?<=\bgh-)(?=\d)"),  # an issue
    re.compile(r"(?i)(?<=ww)(?=w\.)"),  # a link
    re.compile(r"(?i)(?<=[a-z]:)(?=//)"),  # a link
    re.compile(r"(?i)(?<=\bmailto:)|(?<=\bxmpp:)"),  # a link
    re.compile(r"(?<=:)(?=[+\-\w]+:)"),  # an emoji
)
_MENTION = re.compile(r"(?<![\w])@(?=[A-Za-z0-9])")
_EMPHASIS = re.compile(r"(?<![^\W_])_|_(?![^\W_])")  # an underscore inside a word is only an underscore
_LINE_START = re.compile(r"\A ?(?P<mark>[-+](?=[-\s]|\Z)|=(?==*\s*\Z)|\d(?=\d*[.)](?:\s|\Z)))")
_INDENT = re.compile(r"\A {2,}")


def visible(text: str, *, keep: str = "") -> str:
    """Show what would not be seen, or would reorder what is seen; `keep` names characters left alone.

    Control characters become their pictures (Unicode block Control Pictures), bidirectional and other
    format characters, surrogates and unassigned ones become their code points. A joiner between two
    characters beyond ASCII stays: emoji and several scripts need it.

    >>> visible("a\\x1b[31mb\\u202ec")
    'a␛[31mb⟨U+202E⟩c'
    """
    return _ODD.sub(
        lambda found: found[0] if found[0] in keep or _is_seen(found) else _picture(found[0]), text
    )


_ODD = re.compile(r"[^ -~]")
_BLANK = "\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\u2800"  # letters and marks that draw nothing


def _is_seen(found: re.Match[str]) -> bool:
    char, before = found[0], found.string[found.start() - 1 : found.start()]
    if char in "\u200c\u200d":
        after = found.string[found.end() : found.end() + 1]
        return bool(before and after) and not before.isascii() and not after.isascii()
    if "\ufe00" <= char <= "\ufe0f":  # which of two glyphs an emoji takes
        return bool(before) and not before.isascii()
    return char not in _BLANK and unicodedata.category(char) not in _UNSEEN


_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"})


def _picture(char: str) -> str:
    code = ord(char)
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else f"⟨U+{code:04X}⟩"


def shortened(text: str, limit: int = MAX_INLINE) -> str:
    """At most `limit` characters, the last of them an ellipsis when some are left out."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def inline(text: str) -> Markup:
    """One line of text that stays text, in Markdown and inside HTML tags alike.

    >>> print(inline("<b>*x*</b> | a_b"))
    &#60;b&#62;&#42;x&#42;&#60;/b&#62; &#124; a_b
    """
    safe = _INDENT.sub(" ", visible(shortened(text)))
    for pattern in _LOOKS_ALIVE:
        safe = pattern.sub(_BREAK, safe)
    safe = safe.translate(_ENTITIES)
    safe = _EMPHASIS.sub("&#95;", safe)
    start = _LINE_START.match(safe)
    if start:  # a list, a heading's underline, a table's rule
        at = start.start("mark")
        safe = f"{safe[:at]}&#{ord(safe[at])};{safe[at + 1 :]}"
    return Markup(safe)  # noqa: S704  # every character that means something is a reference now


def escape(value: object) -> Markup:
    """Jinja's `finalize`: whatever a template prints is text, unless one of the functions here made it."""
    return value if isinstance(value, Markup) else inline(str(value))


def code(text: str) -> Markup:
    """A name of the database's as code, in one line."""
    return Markup("<code>") + inline(text or " ") + Markup("</code>")


def fence(text: str, language: str = "") -> Markup:
    """A block of code; its fence is longer than any run of backticks in it (GitHub Flavored Markdown 4.5)."""
    body = visible(text.replace("\r\n", "\n"), keep="\n\t").rstrip("\n")
    body = _MENTION.sub("@" + _BREAK, body)
    longest = max((len(run) for run in re.findall("`+", body)), default=0)
    mark = "`" * max(3, longest + 1)
    return Markup(f"{mark}{language}\n{body}\n{mark}")  # noqa: S704  # nothing inside a longer fence is read


def link(text: object, url: str) -> Markup:
    """A link to a page on the web; only the text where the address is not one."""
    shown = escape(text)
    if urlsplit(url).scheme not in {"https", "http"}:
        return shown
    address = quote(url, safe="/:?=&%#-._~").replace("&", "&amp;")
    return Markup(f'<a href="{address}">') + shown + Markup("</a>")  # noqa: S704  # quoted above


def terminal_line(text: str) -> str:
    """Text for a terminal or a job's log: nothing invisible, and no line the runner takes for a command.

    The runner reads `::name::` at the start of a line and `##[name]` anywhere in it
    (actions/runner, src/Runner.Common/ActionCommand.cs).
    """
    safe = visible(text).replace("##[", "##" + _BREAK + "[")
    return re.sub(r"\A(\s*):(?=:)", r"\1:" + _BREAK, safe)
