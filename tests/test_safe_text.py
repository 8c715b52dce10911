"""Can text that is not ours ever become more than text, in GitHub's own renderer, a terminal or a log?"""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser

import pytest
from cmarkgfm import markdown_to_html_with_extensions
from cmarkgfm.cmark import Options
from hypothesis import given
from hypothesis import strategies as st

from audit_action.report.safe_text import code, escape, fence, inline, link, shortened, terminal_line, visible

EXTENSIONS = ["table", "autolink", "strikethrough", "tagfilter", "tasklist"]

NASTY = [
    "@octocat", "a@evil.example", "@acme/team", "#1", "acme/shop#2", "GH-3", "https://evil.example",
    "www.evil.example", "mailto:a@evil.example", "ftp://evil.example", "<b>", "</td>", "</details>",
    "<!--", "-->", "<script>", "&#64;octocat", "&commat;x", "&lt;", "[a](https://evil.example)",
    "![a](b)", "[a]: https://evil.example", "[^1]", "**", "__", "_", "*", "~~", "`", "``", "```", "````",
    "~~~", "|", "\\", "\\|", "$x$", "$$", ":tada:", ":+1:", "# ", "#", "> ", "- ", "+ ", "1. ", "1) ",
    "---", "===", "- [ ] ", "    ", "\t", "\n", "\n\n", "\r\n", "\r", "\x00", "\x1b[31m", "\x7f", "\x85",
    "\u202e", "\u2066", "\u200b", "\u200d", "\ufeff", "\u2028", "\U000e0041", "\u3164", "::error::x",
    "##[error]x", "a", "1", " ", "{{ 7 * 7 }}", "{% raw %}", "\U0001f469\u200d\U0001f4bb", "名", "é",
    "deadbeef", "<https://evil.example>", "xmpp:a@b.c",
]  # fmt: skip

hostile = st.one_of(
    st.lists(st.one_of(st.sampled_from(NASTY), st.text(max_size=3)), max_size=12).map("".join),
    st.text(max_size=60),
)

PLACES = {
    "paragraph": "{}",
    "sentence": "said {} here",
    "heading": "### {}",
    "item": "- {}",
    "quote": "> [!NOTE]\n> {}",
    "bold": "**said {} here**",
    "cell": "| a | b |\n|---|---|\n| {} | x |",
    "html cell": "<table>\n<tr><td>{}</td></tr>\n</table>",
    "summary": "<details><summary>{}</summary>\n\nx\n\n</details>",
}


class Seen(HTMLParser):
    """The elements, comments and text of a page; text inside code, pre and links apart."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: Counter[str] = Counter()
        self.links: list[str] = []
        self.comments: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements[tag] += 1
        self.links += [value or "" for name, value in attrs if name in {"href", "src"}]

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    def handle_decl(self, decl: str) -> None:
        self.comments.append(decl)

    def handle_pi(self, data: str) -> None:
        self.comments.append(data)

    def handle_data(self, data: str) -> None:
        self.text += data


def rendered(markdown: str) -> Seen:
    """As GitHub's Markdown renderer shows it, with HTML allowed: GitHub sanitises it afterwards."""
    return Seen(markdown_to_html_with_extensions(markdown, Options.CMARK_OPT_UNSAFE, EXTENSIONS))


ALIVE = re.compile(
    r"(?i)(?<![\w])@[a-z0-9]|(?<![\w])[\w/.-]*#\d|\bgh-\d|(?<!\w):[+\-\w]+:|https?://|ftp://|www\.|\w@\w+\.\w"
)
"""What GitHub's later filters look for in text: mentions, references, emoji, addresses."""


def words(text: str) -> str:
    """The text without what escaping adds and what rendering folds."""
    return re.sub(r"\s+", "", text.replace("\u200b", ""))


@pytest.mark.parametrize("place", PLACES)
@given(text=hostile)
def test_text_stays_text(place: str, text: str) -> None:
    shown = inline(text)
    page, empty = rendered(PLACES[place].format(shown)), rendered(PLACES[place].format("QQ"))
    if not words(visible(shortened(text))):
        return
    assert page.elements == empty.elements
    assert page.comments == []
    assert page.links == []
    assert not ALIVE.search(page.text)
    assert words(page.text) == words(empty.text.replace("QQ", visible(shortened(text))))


@pytest.mark.parametrize("place", PLACES)
@given(text=hostile)
def test_a_name_is_one_piece_of_code(place: str, text: str) -> None:
    page, empty = rendered(PLACES[place].format(code(text))), rendered(PLACES[place].format("<code>x</code>"))
    assert page.elements == empty.elements
    assert page.comments == page.links == []
    assert not ALIVE.search(page.text)


@given(text=hostile, before=st.sampled_from(["", "<details>\n\n", "> [!NOTE]\n> x\n\n"]))
def test_a_block_holds_exactly_its_text(text: str, before: str) -> None:
    after = "\n\nThe *end*"
    page = rendered(f"{before}{fence(text, 'sql')}{after}")
    assert page.elements["pre"] == page.elements["code"] == page.elements["em"] == 1
    assert set(page.elements) <= {"pre", "code", "p", "em", "details", "blockquote"}
    assert page.links == page.comments == []
    assert words(visible(text.replace("\r\n", "\n"), keep="\n\t")) in words(page.text)
    assert not re.search(r"(?<!\w)@[A-Za-z0-9]", page.text)


@given(text=hostile, address=st.one_of(hostile, hostile.map("https://github.com/{}".format)))
def test_a_link_leads_where_it_says_or_nowhere(text: str, address: str) -> None:
    page = rendered(f"said {link(text, address)} here")
    assert set(page.elements) <= {"p", "a"}
    assert len(page.links) <= 1
    assert all(re.match(r"https?://", each) and not re.search(r"[\s\"'<>]", each) for each in page.links)


@given(hostile)
def test_a_line_is_no_command_and_hides_nothing(text: str) -> None:
    line = terminal_line(text)
    assert "\n" not in line
    assert "\r" not in line
    assert "##[" not in line
    assert not line.lstrip().startswith("::")
    assert visible(line.replace("\u200b", "")) == line.replace("\u200b", "")


@given(hostile)
def test_escaping_twice_is_escaping_once(text: str) -> None:
    assert escape(escape(text)) == escape(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("old_orders", "old_orders"),
        ("_em_", "&#95;em&#95;"),
        ("3.2 s", "3.2 s"),
        ("3. item", "&#51;. item"),
        ("- item", "&#45; item"),
        ("5 > 3", "5 &#62; 3"),
        ("@octocat", "@\u200boctocat"),
        ("&#64;octocat", "&#38;&#35;\u200b64;octocat"),
        ("a\nb", "a␊b"),
        ("\u202eabc", "⟨U+202E⟩abc"),
        ("👩\u200d💻", "👩\u200d💻"),
        ("us\u200ders", "us⟨U+200D⟩ers"),
        ("\ud800", "⟨U+D800⟩"),
        ("\ufe0f", "⟨U+FE0F⟩"),
        ("❤\ufe0f", "❤\ufe0f"),
        ("x" * 400, "x" * 299 + "…"),
    ],
)
def test_known_cases(text: str, expected: str) -> None:
    assert inline(text) == expected
