-- The tables of this database that have rows, by schema and name, with the planner's estimate of how many.
select
  n.nspname || '.' || c.relname as identity,
  c.reltuples::double precision as estimate
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'm')
  and c.reltuples > 0
  and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast', 'audit');
