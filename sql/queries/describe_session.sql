-- Who is connected to what, and what could make the trail worthless: asked once before a run.
-- %(server)s text: how the client names the server, which cannot know it itself
with trail as (
  -- By the catalog: a name would be refused to a login without rights on the schema.
  select
    p.oid as begin_run,
    n.oid as schema
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
  ) as may_record
from pg_catalog.pg_roles r
where r.rolname = session_user;
