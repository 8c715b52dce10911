"""Does the dashboard stand many clients at once? Fifty of them for half a minute, and what they got.

python bench/clients.py http://127.0.0.1:8321 [SECONDS]
"""

from __future__ import annotations

import statistics
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx

CLIENTS = 50
PATHS = (
    "/",
    "/?q=orders",
    "/?destructive=1",
    "/state",
    "/object?name=public.members",
    "/person?name=ghopper",
)


def main(address: str, seconds: float = 30) -> None:
    codes: Counter[int] = Counter()
    times: list[float] = []
    lock = threading.Lock()
    until = time.monotonic() + seconds

    def client(number: int) -> None:
        with httpx.Client(base_url=address, timeout=120) as session:
            turn = number
            while time.monotonic() < until:
                began = time.perf_counter()
                code = session.get(PATHS[turn % len(PATHS)]).status_code
                with lock:
                    codes[code] += 1
                    times.append(time.perf_counter() - began)
                turn += 1

    with ThreadPoolExecutor(CLIENTS) as threads:
        list(threads.map(client, range(CLIENTS)))
    median = statistics.median(times)
    print(f"{sum(codes.values())} answers in {seconds:g} s: {dict(codes)}; median {median:.2f} s")


if __name__ == "__main__":
    main(sys.argv[1], *map(float, sys.argv[2:]))
