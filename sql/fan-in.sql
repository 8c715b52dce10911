-- How do the trails of many databases come into one? By PostgreSQL's own logical replication, without renumbering:
-- every key is a UUID.
--
-- 1. On the warehouse, a database of its own:   psql -f sql/install.sql
--                                               psql -v warehouse=1 -f sql/fan-in.sql
-- 2. On each database (wal_level = logical):    psql -v publisher=1 -f sql/fan-in.sql
--    The login that the subscription uses needs REPLICATION and the role audit_reader.
-- 3. On the warehouse, once for each database; the name of the subscription is what its rows are called:
--
--      create subscription storefront_production
--        connection 'host=db1 dbname=storefront user=fan_in'
--        publication schema_audit;
--
-- A database that is away keeps what the warehouse has not seen in its replication slot, and sends it when it is
-- back. What audit.purge() deletes there stays in the warehouse: deletions are not published.

\set ON_ERROR_STOP on
\set QUIET on

\if :{?publisher}
begin;
do $$
begin
  if not exists (select from pg_catalog.pg_publication where pubname = 'schema_audit') then
    create publication schema_audit
      for table audit.migration_run, audit.transaction_audit, audit.ddl_audit
      with (publish = 'insert, update');
    comment on publication schema_audit is
      'The trail for a warehouse: rows are added, a run is finished; deletions stay here.';
  end if;
end
$$;
commit;
\endif

\if :{?warehouse}
begin;

-- Whose rows the session that applies them brings: the name of its subscription; null in any other session.
create or replace function audit.subscription_name()
  returns text
  stable
  set search_path = pg_catalog, pg_temp
  language sql
as $$
  select coalesce(
    (select s.subname::text from pg_stat_subscription s where s.pid = pg_backend_pid() limit 1),
    current_database()::text
  )
$$;

-- Everybody may call it: it is called for whoever changes the schema of the warehouse itself.
comment on function audit.subscription_name() is
  'The subscription whose rows this session applies; in any other session the name of the database.';

do $$
begin
  if to_regrole('audit_owner') is not null then
    alter function audit.subscription_name() owner to audit_owner;
  end if;
end
$$;

-- The default is evaluated for each row that comes without a value, and no row comes with one (PostgreSQL
-- documentation, Logical Replication, Subscription: additional columns are filled with their default).
alter table audit.migration_run
  add column if not exists source_database text;
alter table audit.migration_run
  alter column source_database set default audit.subscription_name();

alter table audit.transaction_audit
  add column if not exists source_database text;
alter table audit.transaction_audit
  alter column source_database set default audit.subscription_name();

comment on column audit.migration_run.source_database is
  'The subscription that brought the row: which database it is from.';
comment on column audit.transaction_audit.source_database is
  'The subscription that brought the row: which database it is from.';

create index if not exists migration_run_source
  on audit.migration_run (source_database, started_at desc);

create index if not exists transaction_audit_source
  on audit.transaction_audit (source_database, event_time desc);

-- The read contract, and the column that only a warehouse has, at its end.
do $$
declare
  definition text := pg_catalog.pg_get_viewdef('audit.history'::regclass);
begin
  if not exists (
    select
    from pg_catalog.pg_attribute a
    where a.attrelid = 'audit.history'::regclass
      and a.attname = 'source_database'
  ) then
    execute 'create or replace view audit.history as '
      || regexp_replace(definition, '(\r?\n\s+FROM )', E',\n    t.source_database\\1');
  end if;
end
$$;

comment on column audit.history.source_database is
  'In a warehouse: the subscription that brought the row, which is the database it is from.';

-- It is an installation too: from here on this is the state that audit.status() and audit.verify() expect.
do $$
begin
  if not exists (
    select
    from audit.installation i
    where i.started_from = 'warehouse'
      and i.fingerprint = audit.fingerprint()
  ) then
    insert into audit.installation (version, started_from, chain, fingerprint)
    select
      i.version,
      'warehouse',
      i.chain,
      audit.fingerprint()
    from audit.installation i
    order by i.installed_at desc
    limit 1;
    perform audit.seal();
  end if;
end
$$;

commit;

-- Nothing changes the schema here often, and every filter is over many trails.
\ir dashboard.sql
\endif

\if :{?publisher}
\elif :{?warehouse}
\else
\echo 'Say which side this is: psql -v publisher=1 -f sql/fan-in.sql, or psql -v warehouse=1 -f sql/fan-in.sql'
\endif
