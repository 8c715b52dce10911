"""How is the dashboard started for a test? As the command line starts it, in a thread, on a free port."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from audit_action.dashboard import serving
from audit_action.dashboard.fleet import Fleet


@contextmanager
def serving_at(urls: list[str], **asked: Any) -> Iterator[str]:
    """The dashboard as the command line starts it, in a thread, on a free port; its address."""
    said = serving.Asked(urls=tuple(urls), listen="127.0.0.1:0", **asked)
    databases = serving.named(said.urls, timeout=said.timeout)
    fleet = Fleet(databases, patience=said.timeout * 2)
    guard = serving.guard_for(said, "127.0.0.1")
    with serving.listening("127.0.0.1", 0) as listener:
        server = serving.server(fleet, guard, said)
        thread = threading.Thread(target=lambda: server.run(sockets=[listener]), daemon=True)
        thread.start()
        deadline = time.monotonic() + 20
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.02)
        assert server.started
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(timeout=20)
            assert not thread.is_alive()
