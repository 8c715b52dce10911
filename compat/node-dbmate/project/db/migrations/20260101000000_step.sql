-- migrate:up
create table public.account (id int primary key, name text);

-- migrate:down
