from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True


async def upgrade(db: BaseDBAsyncClient) -> str:
    return """create index account_name on public.account (name);"""


async def downgrade(db: BaseDBAsyncClient) -> str:
    return "select 1;"
