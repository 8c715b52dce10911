alter table public.account add column email text;
