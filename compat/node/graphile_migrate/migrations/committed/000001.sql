--! Previous: -
--! Hash: sha1:1fa3ef16038d3f07c6fdac58303898a862b3b3da

create table public.account (id int primary key, name text);
