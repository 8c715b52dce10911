from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True


async def upgrade(db: BaseDBAsyncClient) -> str:
    return """
create table aerich (
  id serial not null primary key,
  version varchar(255) not null,
  app varchar(100) not null,
  content jsonb not null
);
create table public.account (id int primary key, name text);"""


async def downgrade(db: BaseDBAsyncClient) -> str:
    return "select 1;"
