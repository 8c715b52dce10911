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
    ("://", r"(?<=://)[^\s/:@]*:[^\s/@]+(?=@)"),  # user and password of a URL
    ("password", r"(?i)\bpassword\s*=\s*\S+"),  # of a connection string
    ("password", r"(?i)\bpassword\s+E?'(?:[^'\\]|''|\\.)*'"),  # of CREATE ROLE and USER MAPPING
    ("gh", r"\bgh[pousr]_\w{20,}"),  # GitHub's tokens
    ("github_pat_", r"\bgithub_pat_\w{20,}"),
    ("akia", r"\bAKIA[0-9A-Z]{16}\b"),  # AWS access keys
    ("private key", r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----"),
)
"""A word in lower case that must be there, which is found fast, and the pattern that then masks."""


class Redactor:
    """Masks the matches of the built-in and the user's own patterns in every text of a value."""

    def __init__(self, patterns: Sequence[str] = ()) -> None:
        always = [(word, re.compile(pattern)) for word, pattern in _ALWAYS]
        others = [re.compile(each) for each in patterns]

        @lru_cache(maxsize=64)  # the text of a message comes with each of its events
        def text(value: str) -> str:
            folded = value.lower()
            for pattern in [*(pattern for word, pattern in always if word in folded), *others]:
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
