-- Removes the trail with everything that it recorded:
--
--     psql -v confirm=yes -f sql/uninstall.sql
\set ON_ERROR_STOP on
\set QUIET on
\if :{?confirm}
\else
  \set confirm no
\endif
begin;
set local client_min_messages = warning;
\o /dev/null
select set_config('audit.confirm', :'confirm', true);
\o

do $$
declare
  item record;
begin
  if current_setting('audit.confirm') <> 'yes' then
    raise exception 'This removes the trail of database % with everything that it recorded; nothing was removed.',
      current_database()
      using hint = 'If that is what you want: psql -v confirm=yes -f sql/uninstall.sql';
  end if;
  for item in
    select e.evtname
      from pg_catalog.pg_event_trigger e
      join pg_catalog.pg_proc p on p.oid = e.evtfoid
     where p.pronamespace = to_regnamespace('audit')
  loop
    execute format('drop event trigger %I', item.evtname);
  end loop;
  drop schema if exists audit cascade;
  -- The roles belong to the whole cluster: they stay while another database uses them.
  for item in
    select r.rolname
      from pg_catalog.pg_roles r
     where r.rolname in ('audit_owner', 'audit_recorder', 'audit_reader')
       and not r.rolcanlogin
  loop
    begin
      execute format('drop role %I', item.rolname);
    exception
      when dependent_objects_still_exist or insufficient_privilege then
        raise warning 'The role % stays: another database of this cluster uses it, or it is not ours to drop.', item.rolname;
    end;
  end loop;
end
$$;
commit;
