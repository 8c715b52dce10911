-- Is the trail whole and awake? One row a question.

create or replace function audit.status()
  returns table ("check" text, ok boolean, detail text)
  stable
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $function$
declare
  wanted text;
  state  "char";
begin
  return query
  select 'version'::text, true, i.version || ', installed ' || i.installed_at || ' by ' || i.installed_by
    from audit.installation i
   order by i.installed_at desc
   limit 1;
  foreach wanted in array array['track_schema_changes', 'track_schema_drops', 'track_table_rewrites'] loop
    select e.evtenabled into state from pg_event_trigger e where e.evtname = wanted;
    "check" := 'event trigger ' || wanted;
    ok := state is not distinct from 'A';
    detail := case state
      when 'A' then 'enabled always'
      when 'D' then 'disabled'
      when 'O' then 'enabled, but not in a session with session_replication_role = replica'
      when 'R' then 'enabled in replica sessions alone'
      else 'missing'
    end;
    return next;
    state := null;
  end loop;
end
$function$;

comment on function audit.status() is
  'One row a check of the trail itself: the version, the event triggers, the functions, the owner, what is not sealed yet.';
