import asyncio
import os
from pathlib import Path

import psycopg


async def migrate() -> None:
    async with await psycopg.AsyncConnection.connect(
        os.environ["DATABASE_URL"], autocommit=True
    ) as connection:
        for path in sorted(Path("sql").iterdir()):
            await connection.execute(path.read_text())


asyncio.run(migrate())
