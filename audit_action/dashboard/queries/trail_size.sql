-- How much the trail holds, as the planner estimates it, and when it was last written to.
select
  (
    select sum(greatest(c.reltuples, 0))::bigint
    from pg_catalog.pg_class c
    where c.oid = to_regclass('audit.ddl_audit')
  ) as events,
  (
    select sum(pg_catalog.pg_total_relation_size(c.oid))::bigint
    from pg_catalog.pg_class c
    where c.relnamespace = to_regnamespace('audit')
      and c.relkind = 'r'
  ) as bytes,
  (select h.transaction_start from audit.history h where h.position = 1 order by h.transaction_start desc limit 1) as newest;
