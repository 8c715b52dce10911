-- Is the trail whole and awake? One row a question.

-- What must not change between two installations.
create or replace function audit.fingerprint()
  returns text
  stable
  set search_path = pg_catalog, pg_temp
  language sql
as $function$
  select encode(audit.sha256_of(audit.state_of_recorders()::text), 'hex')
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
  oldest timestamptz;
begin
  select i.* into latest from audit.installation i order by i.installed_at desc limit 1;
  return query
    select 'version', true, latest.version || ', installed ' || latest.installed_at || ' by ' || latest.installed_by;
  for "check", state in
    select w.name, e.evtenabled
      from unnest(array['track_schema_changes', 'track_schema_drops', 'track_table_rewrites']) as w (name)
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
  -- Counted apart, for every transaction that is sealed is there (audit.verify() says where not); then the newest ones
  -- are looked at, until so many are found that are not.
  select greatest(
           (select count(*) from audit.transaction_audit)
           - (
               select count(*)
                 from audit.sealed_row s
                 join audit.block b on b.id = s.block_id
                where s.kind = 'transaction'
                  and b.chain = audit.own_chain()
             ),
           0
         )
    into number;
  select min(u.event_time)
    into oldest
    from (
           select t.event_time
             from audit.transaction_audit t
            where not exists (select from audit.sealed_row s where s.row_id = t.id and s.kind = 'transaction')
            order by t.event_time desc
            limit number
         ) u;
  ok := oldest is null or oldest > clock_timestamp() - interval '30 days';
  detail := number || ' transactions are not sealed yet'
    || case when ok then '' else ', the oldest of ' || oldest || ': call audit.seal() now and then' end;
  return next;
  "check" := 'chain';
  select b.number || ' blocks, the newest sealed ' || b.sealed_at || ' with the digest ' || encode(b.digest, 'hex')
    into detail
    from audit.block b
   where b.chain = audit.own_chain()
   order by b.number desc
   limit 1;
  ok := detail is not null;
  detail := coalesce(detail, 'there is no block: call audit.seal()');
  return next;
  "check" := 'keyword index';
  ok := true;
  detail := case
    when to_regclass('audit.ddl_audit_keyword') is not null then 'searches of the text use pg_trgm'
    else 'without pg_trgm every search reads all texts: create extension pg_trgm, then run sql/install.sql again'
  end;
  return next;
  "check" := 'dashboard indexes';
  select greatest(c.reltuples, 0)::bigint into number from pg_class c where c.oid = 'audit.ddl_audit'::regclass;
  detail := case
    when to_regclass('audit.ddl_audit_object') is not null then 'filters use indexes'
    else 'a filter of the dashboard reads every event, here about ' || number
      || '. From 100,000 on it is worth what sql/dashboard.sql adds to a command'
  end;
  return next;
end
$function$;

comment on function audit.fingerprint() is
  'Digest of the trail''s functions and event triggers as they are now.';
comment on function audit.status() is
  'One row a question about the trail itself: version, event triggers, whether they were touched, owner, what is not sealed yet.';
