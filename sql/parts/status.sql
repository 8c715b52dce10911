-- Is the trail whole and awake? One row a question.

-- What must not change between two installations: the source of every function of ours, and the event triggers with
-- the transaction that last touched them. Disabling one and enabling it again leaves another transaction there.
create or replace function audit.fingerprint()
  returns text
  stable
  set search_path = pg_catalog, pg_temp
  language sql
as $function$
  select encode(
    sha256(convert_to(
      (
        select string_agg(p.oid::regprocedure::text || p.prosrc || p.prosecdef::text || coalesce(p.proconfig::text, ''),
                          E'\n' order by p.oid::regprocedure::text collate "C")
          from pg_proc p
         where p.pronamespace = 'audit'::regnamespace
      ) || coalesce((
        select string_agg(e.evtname || e.evtenabled::text || e.xmin::text, E'\n' order by e.evtname collate "C")
          from pg_event_trigger e
          join pg_proc p on p.oid = e.evtfoid
         where p.pronamespace = 'audit'::regnamespace
      ), ''),
      'UTF8'
    )),
    'hex'
  )
$function$;

create or replace function audit.status()
  returns table ("check" text, ok boolean, detail text)
  stable
  security definer
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $function$
declare
  latest audit.installation;
  state  "char";
  number bigint;
begin
  select i.* into latest from audit.installation i order by i.installed_at desc limit 1;
  return query
    select 'version', true, latest.version || ', installed ' || latest.installed_at || ' by ' || latest.installed_by;
  for "check", state in
    select w.name, e.evtenabled
      from unnest(array[
             'track_previous_names', 'track_schema_changes', 'track_schema_drops', 'track_table_rewrites'
           ]) as w (name)
      left join pg_event_trigger e on e.evtname = w.name
     order by w.name
  loop
    "check" := 'event trigger ' || "check";
    ok := state is not distinct from 'A';
    detail := case state
      when 'A' then 'enabled always'
      when 'D' then 'disabled: nothing that it watches is recorded'
      when 'O' then 'enabled, but silent in a session with session_replication_role = replica'
      when 'R' then 'enabled in replica sessions alone'
      else 'missing: nothing that it watches is recorded. Run sql/install.sql as a role that may create event triggers'
    end;
    return next;
  end loop;
  "check" := 'unchanged';
  ok := latest.fingerprint = audit.fingerprint();
  detail := case
    when ok then 'functions and event triggers are those that were installed'
    else 'a function or an event trigger was changed, switched off for a while or restored from a dump since the '
         'installation. Run sql/install.sql again to start from a known state'
  end;
  return next;
  "check" := 'owner';
  select string_agg(distinct pg_get_userbyid(o.owner), ', ')
    into detail
    from (
           select c.relowner from pg_class c where c.relnamespace = 'audit'::regnamespace
           union all
           select p.proowner from pg_proc p where p.pronamespace = 'audit'::regnamespace
           union all
           select n.nspowner from pg_namespace n where n.nspname = 'audit'
         ) as o (owner);
  ok := detail = 'audit_owner';
  detail := 'everything belongs to ' || detail
    || case when ok then '' else '; it should belong to audit_owner, whom nobody can be' end;
  return next;
  "check" := 'recording';
  ok := coalesce(current_setting('event_triggers', true), 'on') = 'on';
  detail := case when ok then 'event triggers fire' else 'event_triggers is off: no event trigger fires here' end;
  return next;
  "check" := 'sealed';
  select count(*)
    into number
    from audit.transaction_audit t
   where not exists (select from audit.sealed_row s where s.row_id = t.id and s.kind = 'transaction');
  ok := number = 0;
  detail := number || ' transactions are not sealed yet';
  return next;
  "check" := 'keyword index';
  ok := true;
  detail := case
    when to_regclass('audit.ddl_audit_keyword') is not null then 'searches of the text use pg_trgm'
    else 'without pg_trgm every search reads all texts: create extension pg_trgm, then run sql/install.sql again'
  end;
  return next;
end
$function$;

comment on function audit.fingerprint() is
  'Digest of the trail''s functions and event triggers as they are now.';
comment on function audit.status() is
  'One row a question about the trail itself: version, event triggers, whether they were touched, owner, what is not sealed yet.';
