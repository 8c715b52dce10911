create table public.customers (
  id bigint generated always as identity primary key,
  name text not null
);
comment on table public.customers is 'Who buys from us';
