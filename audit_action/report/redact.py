"""What must not be read in a report? Secrets, masked on the way out once more."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from functools import lru_cache
from typing import TypeVar, cast

_T = TypeVar("_T")

MASK = "***"

_ALWAYS = (
    r"(?i)(?<=://)[^\s/:@]*:[^\s/@]+(?=@)",  # user and password of a URL
    r"(?i)\bpassword\s*=\s*\S+",  # of a connection string
    r"(?i)(?<=\bpassword\s)\s*E?'(?:[^'\\]|''|\\.)*'",  # of CREATE ROLE
    r"\bgh[pousr]_\w{20,}|\bgithub_pat_\w{20,}",  # GitHub's tokens
    r"\bAKIA[0-9A-Z]{16}\b",  # AWS access keys
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----",
)


class Redactor:
    """Masks the matches of the built-in and the user's own patterns in every text of a value."""

    def __init__(self, patterns: Sequence[str] = ()) -> None:
        compiled = [re.compile(each) for each in (*_ALWAYS, *patterns)]

        @lru_cache(maxsize=64)  # the text of a message comes with each of its events
        def text(value: str) -> str:
            for pattern in compiled:
                value = pattern.sub(MASK, value)
            return value

        self._text = text

    def clean(self, value: _T) -> _T:
        """The same value with every text in it masked: records, tuples and plain text."""
        return cast("_T", self._clean(value))

    def _clean(self, value: object) -> object:
        match value:
            case Enum():
                return value
            case str():
                return self._text(value)
            case tuple():
                return tuple(self._clean(each) for each in value)
        if is_dataclass(value) and not isinstance(value, type):
            return replace(
                value, **{each.name: self._clean(getattr(value, each.name)) for each in fields(value)}
            )
        return value
