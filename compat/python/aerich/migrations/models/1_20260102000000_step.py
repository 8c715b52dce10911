from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True


async def upgrade(db: BaseDBAsyncClient) -> str:
    return """alter table public.account add column email text;"""


async def downgrade(db: BaseDBAsyncClient) -> str:
    return "select 1;"
