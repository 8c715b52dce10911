import asyncio
import os
from pathlib import Path

import asyncpg


async def migrate() -> None:
    connection = await asyncpg.connect(os.environ["DATABASE_URL"])
    for path in sorted(Path("sql").iterdir()):
        await connection.execute(path.read_text())
    await connection.close()


asyncio.run(migrate())
