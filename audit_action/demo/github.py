"""How is a GitHub served on this machine? A loopback server of one world, with faults and a request log.

REST is answered from the world, GraphQL is executed by graphql-core on a schema: that of this package, or
GitHub's own where a test brings it.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from ssl import SSLContext, SSLSocket
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from graphql import GraphQLSchema, build_schema

from audit_action.demo import graph
from audit_action.demo.rest import Answer, Rest
from audit_action.demo.world import World

SCHEMA = Path(__file__).with_name("github.graphql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """One request: `what` is the path, or the name of the GraphQL query."""

    method: str
    what: str
    query: Mapping[str, str]


@dataclass(slots=True, kw_only=True)
class Fault:
    """Something that goes wrong with the requests whose `METHOD what` the pattern matches.

    `body` is sent as it is; `null` takes that GraphQL field out of the answer with an error of type
    FORBIDDEN beside it. `times`: how often, -1 for always. `done`: the request takes effect all the same.
    """

    on: str
    status: int = 200
    body: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    null: str = ""
    seconds: float = 0
    times: int = -1
    done: bool = False


@dataclass(slots=True)
class Served:
    """A running server."""

    api_url: str
    world: World
    log: list[Logged]
    faults: list[Fault]

    def count(self, pattern: str = "") -> int:
        """How many requests matched."""
        return sum(bool(re.search(pattern, f"{each.method} {each.what}")) for each in self.log)


@contextmanager
def serving(
    world: World,
    *,
    schema: GraphQLSchema | None = None,
    page_size: int = 100,
    faults: Sequence[Fault] = (),
    address: str = "127.0.0.1",
    prefix: str = "",
    tls: SSLContext | None = None,
) -> Iterator[Served]:
    """A server of that world on a free port of `address`, until the `with` ends.

    `prefix` is `/api/v3` for a GitHub Enterprise Server, whose GraphQL is at `/api/graphql`.
    """
    known = schema or build_schema(SCHEMA.read_text())
    lock = threading.Lock()
    log: list[Logged] = []
    active = list(faults)

    class Handler(_Handler):
        def answer(self, method: str, path: str, query: dict[str, str], sent: Any) -> Answer:
            with lock:
                graphql = path == (prefix.replace("/v3", "") + "/graphql")
                what = graph.operation(sent["query"]) if graphql else path.removeprefix(prefix)
                log.append(Logged(method=method, what=what, query=query))
                fault = _due(active, f"{method} {what}")
                if fault and fault.body is not None and not fault.done:
                    return Answer(fault.status, fault.body, dict(fault.headers), fault.seconds)
                if graphql:
                    done = Answer(200, graph.execute(world, known, page_size, sent), {})
                else:
                    done = Rest(world, page_size, self.base(prefix)).answer(method, what, query, sent)
            if fault is None:
                return done
            if fault.null:
                _forbid(done.body, fault.null)
            if fault.done:
                return Answer(fault.status, fault.body or "", dict(fault.headers), fault.seconds)
            return Answer(done.status, done.body, done.headers | dict(fault.headers), fault.seconds)

    server = ThreadingHTTPServer((address, 0), Handler)
    server.daemon_threads = True
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield Served(
            f"{'https' if tls else 'http'}://{address}:{server.server_port}{prefix}", world, log, active
        )
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    """HTTP/1.0: one request a connection, so that nothing stays open."""

    def answer(self, method: str, path: str, query: dict[str, str], sent: Any) -> Answer:
        raise NotImplementedError

    def base(self, prefix: str) -> str:
        scheme = "https" if isinstance(self.connection, SSLSocket) else "http"
        return f"{scheme}://{self.headers.get('Host')}{prefix}"

    def log_message(self, format: str, *args: object) -> None:
        """The request log is enough."""

    def handle_any(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        sent = json.loads(self.rfile.read(length)) if length else None
        parts = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        done = self.answer(self.command, unquote(parts.path), query, sent)
        if done.seconds:
            time.sleep(done.seconds)
        body = done.body if isinstance(done.body, str) else json.dumps(done.body)
        data = b"" if done.status == 204 else body.encode()
        try:
            self.send_response(done.status)
            for name, value in {"Content-Type": "application/json", **done.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the client has given up

    do_GET = do_POST = do_PATCH = do_DELETE = handle_any


def _due(faults: list[Fault], request: str) -> Fault | None:
    for fault in faults:
        if fault.times and re.search(fault.on, request):
            fault.times -= 1
            return fault
    return None


def _forbid(answer: Any, name: str) -> None:
    """Take a field out of a GraphQL answer wherever it is, as GitHub does where a token may not see it."""
    errors: list[Any] = answer.setdefault("errors", [])

    def walk(value: Any, path: list[Any]) -> None:
        steps = value.items() if isinstance(value, dict) else enumerate(value)
        for key, below in list(steps):
            if key == name:
                value[key] = None
                errors.append(
                    {
                        "type": "FORBIDDEN",
                        "path": [*path, key],
                        "extensions": {"saml_failure": False},
                        "message": "Resource not accessible by integration",
                    }
                )
            elif isinstance(below, dict | list):
                walk(below, [*path, key])

    walk(answer.get("data") or {}, [])
