-- What may this login do with the trail, and what is here to read it with?
select
  current_database() as database,
  session_user::text as login,
  (
    current_setting('is_superuser') = 'on'
    or exists (
      select
      from pg_catalog.pg_class c
      where c.relnamespace = to_regnamespace('audit')
        and c.relkind in ('r', 'p', 'v')
        and (
          pg_catalog.has_table_privilege(c.oid, 'insert, update, delete, truncate')
          or pg_catalog.pg_has_role(c.relowner, 'usage')
        )
    )
    or exists (
      select
      from pg_catalog.pg_proc p
      where p.pronamespace = to_regnamespace('audit')
        and p.proname in ('begin_run', 'finish_run', 'purge')
        and pg_catalog.has_function_privilege(p.oid, 'execute')
    )
  ) as may_write,
  exists (
    select
    from pg_catalog.pg_attribute a
    where a.attrelid = to_regclass('audit.history')
      and a.attname = 'source_database'
      and not a.attisdropped
  ) as warehouse,
  exists (
    select
    from pg_catalog.pg_class i
    where i.oid in (to_regclass('audit.ddl_audit_keyword'), to_regclass('audit.ddl_audit_inner_keyword'))
  ) as words_indexed,
  (
    select count(*) = 1000
    from (
      select
      from audit.migration_run r
      limit 1000
    ) runs
  ) as long_history,
  array(
    select n.nspname::text
    from pg_catalog.pg_namespace n
    where n.nspname !~ '^pg_(temp|toast)|^information_schema$'
    order by n.nspname
  ) as schemas;
