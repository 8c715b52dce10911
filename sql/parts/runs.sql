-- Which migration runs were there, and who may say so? Two functions write audit.migration_run, nothing else does.

create or replace function audit.may_speak_for(login text)
  returns boolean
  stable
  set search_path = pg_catalog, pg_temp
  language sql
as $function$
  select login = session_user
      or exists (
           select from audit.recorder_permission p
            where p.recorder = session_user
              and p.database_user = login
         )
$function$;

create or replace function audit.refuse_unknown_keys(given jsonb, known text[])
  returns void
  immutable
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $function$
declare
  unknown text;
begin
  if jsonb_typeof(given) is distinct from 'object' then
    raise exception 'A migration run is described by a JSON object, not by %.', coalesce(jsonb_typeof(given), 'null')
      using errcode = 'invalid_parameter_value';
  end if;
  select string_agg(key, ', ' order by key) into unknown from jsonb_object_keys(given) as key where key <> all (known);
  if unknown is not null then
    raise exception 'A migration run has no field named %.', unknown
      using errcode = 'invalid_parameter_value',
            hint = 'The fields here are ' || array_to_string(known, ', ') || '.';
  end if;
end
$function$;

create or replace function audit.begin_run(run jsonb)
  returns uuid
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $function$
declare
  login    text := coalesce(run ->> 'database_user', session_user);
  expires  timestamptz := coalesce(
    (run ->> 'expires_at')::timestamptz,
    clock_timestamp() + make_interval(secs => coalesce((run ->> 'expires_in')::double precision, 6 * 60 * 60))
  );
  list     text;
  begun    uuid;
begin
  perform audit.refuse_unknown_keys(run, array[
    'database_user', 'expires_in', 'expires_at', 'repository', 'environment', 'workflow', 'job', 'run_id',
    'run_attempt', 'run_url', 'event', 'ref', 'base_sha', 'head_sha', 'range_source', 'actor', 'triggering_actor',
    'commits', 'pull_requests', 'authors', 'mergers', 'reviewers', 'approvers', 'unavailable'
  ]);
  foreach list in array array[
    'commits', 'pull_requests', 'authors', 'mergers', 'reviewers', 'approvers', 'unavailable'
  ] loop
    if coalesce(jsonb_typeof(run -> list), 'array') <> 'array' then
      raise exception 'The field % of a migration run is a JSON array, not a %.', list, jsonb_typeof(run -> list)
        using errcode = 'invalid_parameter_value';
    end if;
  end loop;
  if not audit.may_speak_for(login) then
    raise exception 'The login % may not begin a migration run for %.', session_user, login
      using errcode = 'insufficient_privilege',
            hint = 'The owner of the trail allows it with: insert into audit.recorder_permission '
                   '(recorder, database_user) values (...).';
  end if;
  if expires <= clock_timestamp() then
    raise exception 'A migration run cannot expire before it begins (%).', expires
      using errcode = 'invalid_parameter_value';
  end if;
  update audit.migration_run
     set status = 'abandoned',
         finished_at = clock_timestamp()
   where id in (
           select r.id
             from audit.migration_run r
            where r.database_user = login
              and r.status = 'open'
              -- An earlier attempt of the same workflow run is over: GitHub begins none before the last one has ended.
              and (
                    r.expires_at <= clock_timestamp()
                    or (
                         r.repository = run ->> 'repository'
                         and r.run_id = (run ->> 'run_id')::bigint
                         and r.run_attempt < (run ->> 'run_attempt')::int
                       )
                  )
              -- Whoever is closing it in a transaction that stays open holds up nobody.
              for update skip locked
         );
  insert into audit.migration_run (
    database_user, begun_by, expires_at, repository, environment, workflow, job, run_id, run_attempt, run_url,
    event, ref, base_sha, head_sha, range_source, actor, triggering_actor,
    commits, pull_requests, authors, mergers, reviewers, approvers, unavailable
  ) values (
    login,
    session_user,
    expires,
    run ->> 'repository',
    run ->> 'environment',
    run ->> 'workflow',
    run ->> 'job',
    (run ->> 'run_id')::bigint,
    (run ->> 'run_attempt')::int,
    run ->> 'run_url',
    run ->> 'event',
    run ->> 'ref',
    run ->> 'base_sha',
    run ->> 'head_sha',
    run ->> 'range_source',
    run ->> 'actor',
    run ->> 'triggering_actor',
    coalesce(run -> 'commits', '[]'),
    coalesce(run -> 'pull_requests', '[]'),
    coalesce(run -> 'authors', '[]'),
    coalesce(run -> 'mergers', '[]'),
    coalesce(run -> 'reviewers', '[]'),
    coalesce(run -> 'approvers', '[]'),
    coalesce(run -> 'unavailable', '[]')
  )
  returning id into begun;
  return begun;
end
$function$;

create or replace function audit.finish_run(id uuid, ending jsonb)
  returns void
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $function$
declare
  run      audit.migration_run;
  finished timestamptz;
begin
  perform audit.refuse_unknown_keys(ending, array['status', 'exit_code']);
  if coalesce(ending ->> 'status', '') not in ('succeeded', 'failed', 'cancelled', 'refused') then
    raise exception 'A migration run ends succeeded, failed, cancelled or refused, not %.',
      coalesce(quote_literal(ending ->> 'status'), 'without a status')
      using errcode = 'invalid_parameter_value';
  end if;
  begin
    select r.* into run from audit.migration_run r where r.id = finish_run.id for update nowait;
  exception
    when lock_not_available then
      raise exception 'Another session is finishing the migration run %.', finish_run.id
        using errcode = 'lock_not_available';
  end;
  if run.id is null then
    raise exception 'There is no migration run %.', finish_run.id using errcode = 'no_data_found';
  end if;
  if run.begun_by <> session_user and not exists (
    select from audit.recorder_permission p where p.recorder = session_user and p.database_user = run.database_user
  ) then
    raise exception 'The login % may not finish a migration run that % began.', session_user, run.begun_by
      using errcode = 'insufficient_privilege';
  end if;
  if run.status <> 'open' then
    raise exception 'The migration run % ended already (%, at %).', run.id, run.status, run.finished_at
      using errcode = 'object_not_in_prerequisite_state';
  end if;
  -- First the moment, then the snapshot: a transaction that begins in between is later than the moment.
  finished := clock_timestamp();
  update audit.migration_run r
     set status = ending ->> 'status',
         exit_code = (ending ->> 'exit_code')::int,
         finished_at = finished,
         in_progress = array(select x::text::bigint from pg_snapshot_xip(pg_current_snapshot()) x)
   where r.id = run.id;
end
$function$;

comment on function audit.may_speak_for(text) is
  'Whether the login of this session may begin and finish migration runs for the given login.';
comment on function audit.refuse_unknown_keys(jsonb, text[]) is
  'Stops with a sentence when a JSON object has a key that is not known.';
comment on function audit.begin_run(jsonb) is
  'Begins a migration run for the login of this session and returns its id. Keys are columns of audit.migration_run, and expires_in (seconds, 6 hours without it). Runs of the login that expired become abandoned.';
comment on function audit.finish_run(uuid, jsonb) is
  'Ends an open migration run: {"status": succeeded|failed|cancelled|refused, "exit_code": number}. Once, and by the login that began it or a recorder that may.';
