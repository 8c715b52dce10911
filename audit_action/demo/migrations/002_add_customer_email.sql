begin;
alter table public.customers add column email text;
create unique index customers_email_key on public.customers (lower(email));
commit;
