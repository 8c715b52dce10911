-- Gives two logins the least rights that work:
--
--     psql -v ci_role=ci -v reader_role=dashboard -v schemas=public,app -f sql/roles.sql
--
-- ci_role runs migrations: it may create in the named schemas, and of the trail it may begin, finish, seal and read.
-- reader_role reads the trail and nothing else. Logins that do not exist are made without a password.
\set ON_ERROR_STOP on
\set QUIET on
\if :{?ci_role}
\else
  \set ci_role schema_audit_ci
\endif
\if :{?reader_role}
\else
  \set reader_role schema_audit_reader
\endif
\if :{?schemas}
\else
  \set schemas public
\endif
begin;
\o /dev/null
select set_config('audit.ci_role', :'ci_role', true),
       set_config('audit.reader_role', :'reader_role', true),
       set_config('audit.schemas', :'schemas', true);
\o

do $$
declare
  ci      constant text := current_setting('audit.ci_role');
  reader  constant text := current_setting('audit.reader_role');
  item    text;
  allowed text;
begin
  if to_regprocedure('audit.begin_run(jsonb)') is null then
    raise exception 'There is no trail in database %.', current_database()
      using hint = 'Install it first: psql -f sql/install.sql';
  end if;
  foreach item in array array[ci, reader] loop
    if not exists (select from pg_catalog.pg_roles r where r.rolname = item) then
      execute format('create role %I login', item);
      raise notice 'Made the login %, without a password. Set one where the server asks for it: psql -c "\password %"',
        item, item;
    end if;
  end loop;

  execute format('grant audit_recorder to %I', ci);
  execute format('grant connect on database %I to %I', current_database(), ci);
  foreach item in array string_to_array(current_setting('audit.schemas'), ',') loop
    execute format('grant usage, create on schema %I to %I', trim(item), ci);
  end loop;

  execute format('grant audit_reader to %I', reader);
  execute format('grant connect on database %I to %I', current_database(), reader);

  -- Rights that PUBLIC holds cannot be taken from one role. They are told, not touched.
  select string_agg(format('%s on %s', what.rights, what.name), '; ')
    into allowed
    from (
           select 'database ' || d.datname as name, string_agg(lower(a.privilege_type), ', ') as rights
             from pg_catalog.pg_database d
            cross join lateral pg_catalog.aclexplode(coalesce(d.datacl, pg_catalog.acldefault('d', d.datdba))) a
            where d.datname = current_database()
              and a.grantee = 0
            group by d.datname
           union all
           select 'schema ' || n.nspname, string_agg(lower(a.privilege_type), ', ')
             from pg_catalog.pg_namespace n
            cross join lateral pg_catalog.aclexplode(n.nspacl) a
            where a.grantee = 0
              and n.nspname not in ('pg_catalog', 'information_schema', 'audit')
            group by n.nspname
           union all
           select count(*) || ' functions outside of pg_catalog', 'execute'
             from pg_catalog.pg_proc p
             join pg_catalog.pg_namespace n on n.oid = p.pronamespace
            cross join lateral pg_catalog.aclexplode(coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))) a
            where a.grantee = 0
              and n.nspname not in ('pg_catalog', 'information_schema', 'audit')
           having count(*) > 0
         ) what;
  raise notice 'Every role, % too, still has what PUBLIC has: %. Where that is too much: revoke ... from public.',
    reader, coalesce(allowed, 'nothing');
end
$$;
commit;
