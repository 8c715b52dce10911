"""Which text must not be printed, and how is it kept out of a stream?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

# A password that is one of these words would be starred out all over the log; it protects nothing anyway.
_COMMON = frozenset(
    {
        "admin",
        "changeme",
        "ci",
        "database",
        "default",
        "development",
        "dev",
        "docker",
        "example",
        "github",
        "localhost",
        "mysecretpassword",
        "password",
        "pass",
        "passwd",
        "postgres",
        "postgresql",
        "production",
        "public",
        "root",
        "secret",
        "staging",
        "test",
        "testing",
        "user",
    }
)
_SHORTEST = 6
_PAIR = re.compile(r"\s*(\w+)\s*=\s*('(?:\\.|[^'\\])*'|(?:\\.|[^\s\\])*)", re.DOTALL)
_PASSWORD_KEYS = frozenset({"password", "sslpassword"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Masks:
    """What to mask: `values`, the longest first; `too_common` counts the passwords that cannot be."""

    values: tuple[str, ...] = ()
    too_common: int = 0


def masks_for(*connections: str, passwords: Sequence[str] = ()) -> Masks:
    """What must not be printed of these connection strings, and of passwords that came alone (PGPASSWORD).

    A connection string with a password is masked whole; its password as written, percent-decoded and
    percent-encoded. Libpq's URLs and `key=value` strings and JDBC's URLs are understood. A password that is
    short, a common word or another part of the address stays: masking it would redact the log, and the runner
    drops every job output that contains a masked value (actions/runner, JobExtension.cs).

    >>> masks_for("postgresql://ci:s%40ndcastle@db/shop").values
    ('postgresql://ci:s%40ndcastle@db/shop', 's%40ndcastle', 's@ndcastle')
    >>> masks_for("host=db user=ci password=ci").too_common
    1
    """
    values: set[str] = set()
    common: set[str] = set()
    for connection in connections:
        address, written = _parts(connection.strip())
        if written:
            values.add(connection.strip())
        for password in written:
            (common if _is_common(password, address) else values).update(_spellings(password))
    for password in filter(None, passwords):
        (common if _is_common(password, frozenset()) else values).update(_spellings(password))
    return Masks(
        values=tuple(sorted(values, key=lambda value: (-len(value), value))),
        too_common=len({unquote(value) for value in common}),
    )


def _parts(connection: str) -> tuple[frozenset[str], tuple[str, ...]]:
    """The words of the address that are no secret, and the passwords as they are written."""
    if "://" not in connection:
        pairs = [(key.lower(), _unquoted(value)) for key, value in _PAIR.findall(connection)]
        return _split(pairs)
    try:
        url = urlsplit(connection.removeprefix("jdbc:"))
    except ValueError:  # brackets that are no IPv6 address; hide all of it
        return frozenset(), (connection,)
    userinfo, at, hosts = url.netloc.rpartition("@")
    if not at and (unescaped := re.search(r"://([^/?#]*:.*)@", connection, re.DOTALL)):
        userinfo, hosts = unescaped[1], ""  # a slash, question or hash mark that should have been escaped
    user, _, password = userinfo.partition(":")
    words = [("user", user), ("dbname", url.path.lstrip("/")), *(("host", host) for host in hosts.split(","))]
    query = [(key.lower(), value) for key, value in _query(url.query)]
    return _split([*words, *query, ("password", password)])


def _query(query: str) -> list[tuple[str, str]]:
    """The pairs as written, not decoded: what was written is what a log would show."""
    return [(unquote(key), value) for key, _, value in (pair.partition("=") for pair in query.split("&"))]


def _split(pairs: Sequence[tuple[str, str]]) -> tuple[frozenset[str], tuple[str, ...]]:
    passwords = tuple(value for key, value in pairs if key in _PASSWORD_KEYS and value)
    words = {unquote(value).casefold() for key, value in pairs if key not in _PASSWORD_KEYS and value}
    return frozenset(words), passwords


def _unquoted(value: str) -> str:
    """Libpq's quoting: single quotes around, a backslash before a quote or a backslash."""
    inner = value[1:-1] if len(value) > 1 and value[0] == value[-1] == "'" else value
    return re.sub(r"\\(.)", r"\1", inner, flags=re.DOTALL)


def _spellings(password: str) -> set[str]:
    decoded = unquote(password)
    return {password, decoded, quote(decoded, safe="")}


def _is_common(password: str, address: frozenset[str]) -> bool:
    word = unquote(password).casefold()
    return len(word) < _SHORTEST or word in _COMMON or any(word in each for each in address)


class Masker:
    """Replaces secrets in a stream of bytes, also where a secret arrives in pieces.

    What could still become a secret is held back; everything else passes at once. The longest secret wins.

    >>> masker = Masker(["hunter22"])
    >>> masker.feed(b"PASSWORD=hunt"), masker.feed(b"er22!"), masker.flush()
    (b'PASSWORD=', b'***!', b'')
    """

    def __init__(self, secrets: Sequence[str]) -> None:
        encoded = {each.encode("utf-8", "surrogateescape") for each in secrets if each}
        self._secrets = sorted(encoded, key=len, reverse=True)
        self._pattern = re.compile(b"|".join(re.escape(each) for each in self._secrets))
        self._held = b""

    def feed(self, chunk: bytes) -> bytes:
        if not self._secrets:
            return chunk
        text, at, clean = self._held + chunk, 0, bytearray()
        while True:
            hold = self._hold_from(text, at)
            match = self._pattern.search(text, at)
            if match is None or match.start() >= hold:
                break
            clean += text[at : match.start()] + b"***"
            at = match.end()
        self._held = text[hold:]
        return bytes(clean + text[at:hold])

    def flush(self) -> bytes:
        """The rest: no more bytes will come, so a secret that another one continues counts now."""
        rest, self._held = self._held, b""
        return self._pattern.sub(b"***", rest) if self._secrets else rest

    def _hold_from(self, text: bytes, at: int) -> int:
        """The first place from which the text could still grow into a secret."""
        first = max(at, len(text) - len(self._secrets[0]) + 1)
        return next(
            (start for start in range(first, len(text)) if self._could_begin(text[start:])), len(text)
        )

    def _could_begin(self, piece: bytes) -> bool:
        return any(len(secret) > len(piece) and secret.startswith(piece) for secret in self._secrets)
