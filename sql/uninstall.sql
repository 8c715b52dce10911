-- Removes the trail from the database you are connected to, with every row of it. Run it by psql:
--
--     psql -v ON_ERROR_STOP=1 -v confirm=yes -f sql/uninstall.sql
--
-- All or nothing. What other schemas hold is never dropped; where something there needs the trail, it stops.
\set ON_ERROR_STOP on
\set QUIET on
\if :{?confirm}
\else
  \set confirm no
\endif
\pset pager off
\pset format unaligned
\pset tuples_only on

begin;
set local client_min_messages = warning;
set local search_path = pg_catalog, pg_temp;
-- A transaction that changed the schema and is still open keeps its rows locked; it is not waited for in vain.
set local lock_timeout = '30s';
select set_config('schema_audit.confirm', :'confirm', true) \g /dev/null

do $$
begin
  if to_regclass('audit.installation') is null then
    raise exception 'There is no trail of ours in the database %; nothing was changed.', current_database();
  end if;
  if current_setting('schema_audit.confirm') <> 'yes' then
    raise exception 'This removes the trail of the database % for good, with every row of it; nothing was changed.',
      current_database()
      using hint = 'To do it, say -v confirm=yes. To keep the rows, first: '
                   'pg_dump --schema=audit --file=audit.sql ' || quote_ident(current_database()) || '.';
  end if;
end
$$;

-- The event triggers first: they would record, and need, what goes next.
do $$
declare
  event_trigger record;
begin
  for event_trigger in
    select e.evtname
      from pg_event_trigger e
      join pg_proc p on p.oid = e.evtfoid
     where p.pronamespace = to_regnamespace('audit')
  loop
    execute format('drop event trigger %I', event_trigger.evtname);
  end loop;
end
$$;

create temporary table standing on commit drop as
select o.classid, o.oid, pg_describe_object(o.classid, o.oid, 0) as description
  from (
    select 'pg_class'::regclass as classid, c.oid, c.relnamespace as namespace
      from pg_class c
     where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
    union all
    select 'pg_proc'::regclass, p.oid, p.pronamespace from pg_proc p
    union all
    select 'pg_constraint'::regclass, c.oid, c.connamespace from pg_constraint c
    union all
    select 'pg_attrdef'::regclass, d.oid, c.relnamespace from pg_attrdef d join pg_class c on c.oid = d.adrelid
    union all
    select 'pg_trigger'::regclass, t.oid, c.relnamespace from pg_trigger t join pg_class c on c.oid = t.tgrelid
    union all
    select 'pg_policy'::regclass, p.oid, c.relnamespace from pg_policy p join pg_class c on c.oid = p.polrelid
    union all
    select 'pg_event_trigger'::regclass, e.oid, 0 from pg_event_trigger e
  ) o
 where o.namespace not in (
         to_regnamespace('audit'), to_regnamespace('pg_catalog'), to_regnamespace('pg_toast'),
         to_regnamespace('information_schema')
       );

drop schema audit cascade;

do $$
declare
  gone text;
begin
  select string_agg(s.description, ', ' order by s.description)
    into gone
    from standing s
   where not case s.classid
           when 'pg_class'::regclass then exists (select from pg_class c where c.oid = s.oid)
           when 'pg_proc'::regclass then exists (select from pg_proc p where p.oid = s.oid)
           when 'pg_constraint'::regclass then exists (select from pg_constraint c where c.oid = s.oid)
           when 'pg_attrdef'::regclass then exists (select from pg_attrdef d where d.oid = s.oid)
           when 'pg_trigger'::regclass then exists (select from pg_trigger t where t.oid = s.oid)
           when 'pg_policy'::regclass then exists (select from pg_policy p where p.oid = s.oid)
           when 'pg_event_trigger'::regclass then exists (select from pg_event_trigger e where e.oid = s.oid)
         end;
  if gone is not null then
    raise exception 'Outside the schema audit something needs the trail: %; nothing was changed.', gone
      using hint = 'Drop that first, and run this again.';
  end if;
end
$$;

-- The roles belong to the whole server: a trail in another database may need them, and a login is somebody's.
create temporary table told (line text not null) on commit drop;

do $$
declare
  ours text;
begin
  foreach ours in array array['audit_recorder', 'audit_reader', 'audit_owner'] loop
    if to_regrole(ours) is null then
      continue;
    elsif (select r.rolcanlogin from pg_roles r where r.rolname = ours) then
      insert into told values (format('The role %s is kept: it is a login.', ours));
      continue;
    end if;
    begin
      execute format('drop role %I', ours);
    exception
      when dependent_objects_still_exist then
        insert into told values (format('The role %s is kept: something else of this server needs it.', ours));
      when insufficient_privilege then
        insert into told values (format('The role %s is kept: %s may not drop it.', ours, current_user));
    end;
  end loop;
end
$$;

select format('The trail is gone from the database %s.', current_database());
select line from told;
commit;
