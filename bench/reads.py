"""How long does the server work for each page of the dashboard? Medians of one run, beside each other.

    python bench/reads.py postgresql://reader@127.0.0.1:5432/big

Every page is asked for as a browser does, through the whole application in this process, and the application
is timed: queries, sentences, HTML, headers, up to the last byte. The first answer is thrown away (connections
and caches). The history is that of `bench/generate_history.py`, with the indexes of sql/dashboard.sql.
"""

from __future__ import annotations

import statistics
import sys
import time

from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from audit_action.dashboard.app import create_app
from audit_action.dashboard.database import Database
from audit_action.dashboard.fleet import Fleet
from audit_action.dashboard.security import Guard

ROUNDS = 15
PAGES = {
    "timeline": "/",
    "timeline, a year back": "/?before=2025-01-01T00:00:00%2B00:00_00000000-0000-0000-0000-000000000000",
    "outside runs": "/?manual=1",
    "environment": "/?environment=staging",
    "person, busy": "/?person=person7",
    "person, in one run": "/?person=rarely",
    "person, absent": "/?person=nobody",
    "object": "/?object=public.table_7",
    "object, absent": "/?object=public.nothing",
    "command, frequent": "/?kind=ALTER+TABLE",
    "command, rare": "/?kind=CREATE+CAST",
    "command, absent": "/?kind=DROP+OPERATOR",
    "destructive": "/?destructive=1",
    "database user": "/?user=alice",
    "database user, absent": "/?user=nobody",
    "delivery": "/?delivery=open_run",
    "dates": "/?since=2024-06-01&until=2024-06-02",
    "words in all": "/?q=storefront",
    "word in one of a thousand": "/?q=uncommon",
    "word in three": "/?q=zyzzyva",
    "word, absent": "/?q=qqqqqqqq",
    "words and person": "/?q=uncommon&person=person7&environment=production",
    "object's page": "/object?name=public.table_7",
    "object's page, absent": "/object?name=public.nothing",
    "person's page": "/person?name=person7",
    "state": "/state",
}


class Timed:
    """The application, and how long its last answer took it, in milliseconds."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.took = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        await self._app(scope, receive, send)
        self.took = (time.perf_counter() - began) * 1000


def main(url: str, only: str = "") -> None:
    fleet = Fleet([Database(url, name="big", timeout=30)])
    app = Timed(create_app(fleet, Guard(hosts=())))
    with TestClient(app) as client:
        print(f"{'page':<28}{'median':>10}{'slowest':>10}{'size':>10}")
        for name, address in PAGES.items():
            if only not in name:
                continue
            times, size = [], 0
            for _ in range(ROUNDS + 1):
                answer = client.get(address)
                times.append(app.took)
                size = len(answer.content)
                if answer.status_code != 200:
                    name = f"{name} [{answer.status_code}]"
                    break
                if times[-1] > 3000:
                    break
            rest = times[1:] or times
            print(
                f"{name:<28}{statistics.median(rest):>7.0f} ms{max(rest):>7.0f} ms{size / 1024:>7.0f} kB",
                flush=True,
            )


if __name__ == "__main__":
    main(*sys.argv[1:])
