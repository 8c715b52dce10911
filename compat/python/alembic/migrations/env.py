import asyncio
import os

from alembic import context
from sqlalchemy import create_engine
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import create_async_engine

url = os.environ["DATABASE_URL"].replace("postgresql://", f"postgresql+{os.environ['DRIVER']}://", 1)


def migrate(connection: Connection) -> None:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()


async def migrate_async() -> None:
    async with create_async_engine(url).connect() as connection:
        await connection.run_sync(migrate)
        await connection.commit()


if os.environ["DRIVER"] == "asyncpg":
    asyncio.run(migrate_async())
else:
    with create_engine(url).connect() as connection:
        migrate(connection)
        connection.commit()
