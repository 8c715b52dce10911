create view public.customer_names as
  select id, name from public.customers;
drop table public.old_orders cascade;
