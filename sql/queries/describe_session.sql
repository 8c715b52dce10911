-- Who is connected to what, and what could make the trail worthless: asked once before a run.
-- %(server)s text: how the client names the server, which cannot know it itself
with trail as (
  -- By the catalog: a name would be refused to a login without rights on the schema.
  select
    p.oid as begin_run,
    n.oid as schema,
    n.nspowner as owner
  from pg_catalog.pg_proc p
  join pg_catalog.pg_namespace n on n.oid = p.pronamespace
  where n.nspname = 'audit'
    and p.proname = 'begin_run'
)
select
  current_database() as database,
  %(server)s as server,
  session_user::text as login,
  r.rolsuper as superuser,
  exists (select from trail) as trail_present,
  exists (
    select
    from trail t
    where pg_catalog.has_schema_privilege(t.schema, 'usage')
      and pg_catalog.has_function_privilege(t.begin_run, 'execute')
  ) as may_record,
  (
    -- Commands, drops and rewrites each wake it. The server can switch all off.
    select count(distinct e.evtevent) = 3 and coalesce(current_setting('event_triggers', true), 'on') = 'on'
    from pg_catalog.pg_event_trigger e
    join pg_catalog.pg_proc p on p.oid = e.evtfoid
    join trail t on t.schema = p.pronamespace
    where e.evtenabled in ('O', 'A')
      and p.proname = 'log_schema_changes'
  ) as awake,
  exists (
    select
    from trail t
    where pg_catalog.pg_has_role(session_user, t.owner, 'member')
  ) as owns_trail,
  exists (
    -- By itself, or as a role that it may become with SET ROLE.
    select
    from pg_catalog.pg_roles g
    where pg_catalog.pg_has_role(session_user, g.oid, 'member')
      and (
        pg_catalog.has_database_privilege(g.oid, current_database(), 'create')
        or exists (
          select
          from pg_catalog.pg_namespace n
          where n.nspname <> all (array['audit', 'information_schema', 'pg_catalog', 'pg_toast'])
            and pg_catalog.has_schema_privilege(g.oid, n.oid, 'create')
        )
      )
  ) as may_create
from pg_catalog.pg_roles r
where r.rolname = session_user;
