"""Who is let in, and what may a page do? Passwords, proxies, headers: one guard before every page."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from threading import Lock
from time import monotonic
from typing import TypeAlias

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Network: TypeAlias = IPv4Network | IPv6Network

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), clipboard-write=(self)",
    "Cache-Control": "no-store",
}
"""On every answer: no script but ours, no frame, no referrer, nothing kept (OWASP Secure Headers)."""

MAX_FAILURES = 10
"""Wrong passwords from one address within WINDOW seconds, then it waits. A right one does not reset it."""

MAX_FAILURES_OF_ALL = 100
WINDOW = 60.0

_N, _R, _P = 2**14, 8, 1


def hash_password(password: str) -> str:
    """The password as it may be kept: scrypt (RFC 7914) with a salt of its own."""
    salt = secrets.token_bytes(16)
    return f"scrypt:{_N}:{_R}:{_P}:{salt.hex()}:{_scrypt(password, salt, _N, _R, _P).hex()}"


def is_password_hash(text: str) -> bool:
    """Whether `hash_password` can have made it."""
    parts = text.split(":")
    if len(parts) != 6 or parts[0] != "scrypt":
        return False
    try:
        n, r, p = map(int, parts[1:4])
        return 2**14 <= n <= 2**20 and r == _R and p == _P and len(bytes.fromhex(parts[4] + parts[5])) >= 48
    except ValueError:
        return False


def is_password(password: str, hashed: str) -> bool:
    """Whether the password is the one that was hashed; it takes as long when it is not."""
    _, n, r, p, salt, key = hashed.split(":")
    tried = _scrypt(password, bytes.fromhex(salt), int(n), int(r), int(p))
    return hmac.compare_digest(tried, bytes.fromhex(key))


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=n, r=r, p=p, maxmem=256 * n * r, dklen=32)


@dataclass(slots=True)
class Failures:
    """Wrong passwords of the last minute."""

    now: Callable[[], float] = monotonic
    _times: dict[str, list[float]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def too_many(self, address: str) -> bool:
        """Whether this address, or everybody together, must wait."""
        with self._lock:
            since = self.now() - WINDOW
            self._times = {
                who: recent
                for who, times in self._times.items()
                if (recent := [at for at in times if at > since])
            }
            total = sum(map(len, self._times.values()))
            return len(self._times.get(address, ())) >= MAX_FAILURES or total >= MAX_FAILURES_OF_ALL

    def add(self, address: str) -> None:
        """One more."""
        with self._lock:
            self._times.setdefault(address, []).append(self.now())


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """Who is let in: whoever reaches a loopback address, knows the password, or is named by a proxy."""

    hosts: tuple[
        str, ...
    ]  # Host headers that are answered; empty: any, because something else asks who it is
    password_hash: str = field(default="", repr=False)
    proxies: tuple[Network, ...] = ()
    user_header: str = ""

    def middleware(self, app: ASGIApp) -> ASGIApp:
        """The application behind this guard."""
        return _Door(app, self)


class _Door:
    def __init__(self, app: ASGIApp, guard: Guard) -> None:
        self._app = app
        self._guard = guard
        self._failures = Failures()
        # Whoever was right once is recognized without scrypt again: by a digest under a key nobody else has.
        self._key = secrets.token_bytes(32)
        self._right = b""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        refused = await self._refusal(scope)
        await (refused or self._app)(scope, receive, safely)

    async def _refusal(self, scope: Scope) -> Response | None:
        """The answer to somebody who is not let in."""
        if scope["method"] not in ("GET", "HEAD"):
            return PlainTextResponse("Only GET is answered.", 405, headers={"Allow": "GET, HEAD"})
        headers, guard = Headers(scope=scope), self._guard
        address = scope["client"][0] if scope.get("client") else ""
        if guard.hosts and _host(headers.get("host", "")) not in guard.hosts:
            # A page elsewhere whose name was made to point here (DNS rebinding) sends its own name.
            return PlainTextResponse("This host name is not answered here.", 421)
        if guard.proxies:
            named = headers.getlist(guard.user_header)
            if _is_within(address, guard.proxies) and len(named) == 1 and named[0].strip():
                return None
            if not guard.password_hash:
                return PlainTextResponse("The proxy in front of this page named nobody.", 403)
        if guard.password_hash:
            return await self._password(headers.getlist("authorization"), address)
        return None

    async def _password(self, given: Sequence[str], address: str) -> Response | None:
        password = _basic(given[0]) if len(given) == 1 else None
        if password is not None and self._right and hmac.compare_digest(self._digest(password), self._right):
            return None
        if self._failures.too_many(address):
            return PlainTextResponse(
                "Too many wrong passwords. Wait a minute.", 429, headers={"Retry-After": "60"}
            )
        if password is not None:
            # Counted before it is tried: many at once are as many.
            self._failures.add(address)
            if await run_in_threadpool(is_password, password, self._guard.password_hash):
                self._right = self._digest(password)
                return None
        return PlainTextResponse(
            "A password is needed; the name does not matter.",
            401,
            headers={"WWW-Authenticate": 'Basic realm="schema history", charset="UTF-8"'},
        )

    def _digest(self, password: str) -> bytes:
        return hmac.digest(self._key, password.encode(), "sha256")


def _basic(authorization: str) -> str | None:
    """The password of an Authorization header (RFC 7617)."""
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        decoded = base64.b64decode(credentials.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    return decoded.partition(":")[2]


def _host(header: str) -> str:
    """The Host header without its port.

    >>> _host("[::1]:8000"), _host("localhost:8000")
    ('[::1]', 'localhost')
    """
    if header.startswith("["):
        return header.partition("]")[0] + "]"
    return header.partition(":")[0].lower()


def _is_within(address: str, networks: Sequence[Network]) -> bool:
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return any((mapped or found) in each for each in networks)


def networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """Addresses and networks such as 10.0.0.0/8. Raises ValueError."""
    return tuple(ip_network(each, strict=False) for each in texts)
