--! Previous: sha1:1fa3ef16038d3f07c6fdac58303898a862b3b3da
--! Hash: sha1:f261e418986603e7668add89864d2f819d310510

alter table public.account add column email text;
