--! Previous: sha1:f261e418986603e7668add89864d2f819d310510
--! Hash: sha1:de29912aa43998818f2d15a500aab2c529f8d973

create index account_name on public.account (name);
