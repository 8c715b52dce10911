create index account_name on public.account (name);
