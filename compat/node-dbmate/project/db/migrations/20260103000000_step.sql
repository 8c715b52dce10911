-- migrate:up
create index account_name on public.account (name);

-- migrate:down
