-- depends: 1
alter table public.account add column email text;
