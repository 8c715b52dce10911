"""What does a trail look like after years? 1,000,000 events in 200,000 transactions, past the triggers.

    python bench/generate_history.py postgresql://postgres@127.0.0.1:5432/big [TRANSACTIONS]

The database must have the trail installed and the login must be a superuser: the rows are inserted by SQL,
the same ones for the same number. One transaction in twenty is outside any run; there is a word that stands
in three messages, one in one of a thousand, one in all; 200 people, 2,000 tables, three environments.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import psycopg

PARTS = Path(__file__).with_name("history")


def generate(url: str, transactions: int) -> None:
    """Write the history into the audited database at `url`, and let the planner look at it."""
    runs = transactions // 5 + 1
    values = {
        "transactions": transactions,
        "runs": runs,
        "start": "2024-01-01 00:00:00+00",
        "step": f"{2 * 365 * 86_400 / runs:.3f} seconds",
    }
    with psycopg.connect(url, autocommit=True) as connection:
        for part in ("runs", "transactions", "events"):
            began = time.perf_counter()
            rows = connection.execute((PARTS / f"{part}.sql").read_bytes(), values).rowcount
            print(f"{rows:>9,} rows in {time.perf_counter() - began:.1f} s", flush=True)
        connection.execute("vacuum analyze")


if __name__ == "__main__":
    generate(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 200_000)
