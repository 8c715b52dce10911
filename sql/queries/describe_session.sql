-- Who is connected to what, and what could make the trail worthless: asked once before a run.
-- %(server)s text: how the client names the server, which cannot know it itself
select
  current_database() as database,
  %(server)s as server,
  session_user::text as login,
  rolsuper as superuser,
  pg_catalog.to_regprocedure('audit.begin_run(jsonb)') is not null as trail_present,
  coalesce(
    pg_catalog.has_schema_privilege(pg_catalog.to_regnamespace('audit'), 'usage')
      and pg_catalog.has_function_privilege(pg_catalog.to_regprocedure('audit.begin_run(jsonb)'), 'execute'),
    false
  ) as may_record
from pg_catalog.pg_roles
where rolname = session_user;
