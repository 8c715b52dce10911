-- migrate:up
alter table public.account add column email text;

-- migrate:down
