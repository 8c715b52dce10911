-- How does a change get into the trail? Event triggers say what happened, audit.record writes it down.

-- Only the functions of the event triggers are SECURITY DEFINER and set the search_path, and how identities are
-- written: nobody else may execute what they call. No literal here needs a backslash: PL/pgSQL compiles with the session's standard_conforming_strings.

-- A setting that the client delivered, or null.
create or replace function audit.setting(name text)
  returns text
  stable
  language plpgsql
as $function$
declare
  value text := nullif(current_setting(name, true), '');
  bytes bytea;
begin
  -- Longer than a startup packet it was never delivered.
  if value is null or value ~ '^[ -~]*$' collate "C" then
    return left(value, 10000);
  end if;
  -- PGOPTIONS arrives as bytes that nobody checked: UTF-8 from most clients, whatever encoding the database has.
  bytes := replace(value, $re$\$re$, $re$\\$re$)::bytea;
  begin
    return left(convert_from(bytes, 'UTF8'), 10000);
  exception
    when others then
      return left(
        case
          when pg_encoding_max_length(pg_char_to_encoding(getdatabaseencoding())) = 1 then value
          else encode(bytes, 'escape')
        end,
        10000
      );
  end;
end
$function$;

-- Who proved to be whom when the session began. session_user follows SET SESSION AUTHORIZATION, this does not.
create or replace function audit.login_user()
  returns text
  stable
  language plpgsql
as $function$
begin
  -- Since 16 the server tells the method and the name that was proved. Where that is the session's user, nothing
  -- was set; else the server's activity table knows, which takes it some microseconds for every slot it has.
  if current_setting('server_version_num')::int >= 160000 then
    if system_user like '%:' || session_user then
      return session_user;
    end if;
  end if;
  return (select pg_get_userbyid(a.usesysid) from pg_stat_get_activity(pg_backend_pid()) a);
end
$function$;

-- The first event of a transaction: who, how, and which migration run. The run is looked for in this order: what the
-- setting audit.run_id claims, what the application's name claims, the only open run of this login. A claim that
-- names no open run of this login is kept as a claim, and finds none. Returns the key of the transaction.
create or replace function audit.record_transaction(xid bigint)
  returns uuid
  volatile
  language plpgsql
as $function$
declare
  login     text := audit.login_user();
  app_name  text := current_setting('application_name');
  person    text := current_setting('audit.user_name', true);
  claimed   text := current_setting('audit.run_id', true);
  named     text;
  began_as  text;
  claims    jsonb;
  open_runs text[];
  found_as  text := 'none';
  run       text;
  key       uuid;
begin
  if app_name like 'schema-audit/%' then
    named := substr(app_name, 14, 36);
  end if;
  -- Whoever delivers anything delivers one of these two.
  if claimed <> '' or person <> '' then
    claimed := audit.setting('audit.run_id');
    person := audit.setting('audit.user_name');
    claims := jsonb_strip_nulls(jsonb_build_object(
      'commit', audit.setting('audit.commit'),
      'authors', audit.setting('audit.authors'),
      'merger', audit.setting('audit.merger'),
      'reviewers', audit.setting('audit.reviewers'),
      'pull_requests', audit.setting('audit.pull_requests'),
      'run_url', audit.setting('audit.run_url')
    ));
  else
    claimed := null;
    person := null;
  end if;
  -- Mostly there is none, and one look at a small index says so.
  select r.id
    into key
    from audit.migration_run r
   where r.database_user = login
     and r.status = 'open';
  if key is not null then
    open_runs := array(
      select r.id::text
        from audit.migration_run r
       where r.database_user = login
         and r.status = 'open'
         and r.expires_at > clock_timestamp()
    );
    if lower(claimed) = any (open_runs) then
      found_as := 'session';
      run := claimed;
    elsif cardinality(open_runs) = 1 and lower(named) = any (open_runs) then
      found_as := 'application_name';
      run := named;
    else
      -- Only the name that a session began with is its own for certain; it outlives a later SET, and reading it costs
      -- half a millisecond. A name that was set is what a transaction pooler does for its clients, and the next
      -- client that brings none inherits it: it tells no two open runs apart, and one that has ended is not a claim.
      select substr(s.reset_val, 14, 36)
        into began_as
        from pg_settings s
       where s.name = 'application_name'
         and s.reset_val like 'schema-audit/%';
      if lower(began_as) = any (open_runs) then
        found_as := 'application_name';
        run := began_as;
      elsif claimed is null and began_as is null and cardinality(open_runs) = 1 then
        found_as := 'open_run';
        run := open_runs[1];
      end if;
    end if;
  end if;
  insert into audit.transaction_audit (
    transaction_id, event_time, database_user, application_user_name, application_user_email, client_address,
    login_user, role, application_name, pid, delivery, ambiguous, run_id, claimed_run_id, claims
  ) values (
    xid,
    transaction_timestamp(),
    session_user,
    person,
    case when claims is not null then audit.setting('audit.user_email') end,
    inet_client_addr(),
    login,
    nullif(current_setting('role'), 'none'),
    app_name,
    pg_backend_pid(),
    found_as,
    run is null and coalesce(cardinality(open_runs) > 1, false),
    run::uuid,
    coalesce(claimed, named, began_as),
    claims
  )
  returning id into key;
  return key;
end
$function$;

-- What a serializable transaction must not read is what it and others write: reading its own last event would make two
-- transactions that never meet fail each other (predicate locks are on pages). It remembers where it stands in a
-- setting of its own, which is taken back with a savepoint, and signs it, because anybody may set a setting.
create table if not exists audit.secret (
  id  uuid primary key default gen_random_uuid()
);

comment on table audit.secret is
  'Signs what a serializable transaction remembers of itself. Nobody but the owner reads it.';
comment on column audit.secret.id is
  'The secret.';

insert into audit.secret
select
 where not exists (select from audit.secret);

create or replace function audit.signed(content text)
  returns text
  stable
  language sql
as $function$
  select content || ' ' || encode(sha256(convert_to((select s.id from audit.secret s)::text || content, 'UTF8')), 'hex')
$function$;

comment on function audit.signed(text) is
  'The content with a signature that only the owner of the trail can make.';

-- Writes one event, and before it the transaction and with it the text, where they are new. Returns its position.
create or replace function audit.record(
  event text,
  tag text,
  object_type text,
  schema_name text,
  identity text,
  previous text,
  original boolean,
  reason int,
  statement text
)
  returns int
  volatile
  language plpgsql
as $function$
declare
  xid      bigint := txid_current();
  moment   timestamptz := statement_timestamp();
  key      uuid;
  place    int := 1;
  message  int := 1;
  earlier  timestamptz;
  query    text;
  unmasked text;
  redacted boolean := false;
  alone    boolean := current_setting('transaction_isolation') = 'serializable';
  standing text[];
begin
  if alone then
    standing := string_to_array(current_setting('audit.standing', true), ' ');
    if standing[1] = xid::text
       and array_to_string(standing, ' ') = audit.signed(array_to_string(standing[1:5], ' '))
    then
      key := standing[2];
      place := standing[3]::int + 1;
      message := standing[4];
      earlier := case when standing[5] = extract(epoch from moment)::text then moment end;
    end if;
  else
    select t.id
      into key
      from audit.transaction_audit t
     where t.event_time = transaction_timestamp()
       and t.transaction_id = xid;
  end if;
  if key is null then
    key := audit.record_transaction(xid);
  elsif not alone then
    select d.position + 1, d.message, d.message_time
      into place, message, earlier
      from audit.ddl_audit d
     where d.transaction_audit_id = key
     order by d.position desc
     limit 1;
  end if;
  -- All statements of one message have one statement_timestamp(), and no two messages of a transaction do.
  if earlier = moment then
    null;
  else
    message := place;
    query := current_query();
    -- Nearly always no. A regular expression would say so at several times the cost.
    if lower(query) like any (
      '{%passw%,%pwd%,%secret%,%token%,%api_key%,%apikey%,%credential%,%conninfo%,%connection%,%server%,%mapping%,%://%}'
    ) then
      query := audit.redact(query);
      redacted := query <> current_query();
    end if;
  end if;
  if lower(statement) like any (
    '{%passw%,%pwd%,%secret%,%token%,%api_key%,%apikey%,%credential%,%conninfo%,%connection%,%server%,%mapping%,%://%}'
  ) then
    unmasked := statement;
    statement := audit.redact(statement);
    redacted := redacted or statement <> unmasked;
  end if;
  insert into audit.ddl_audit (
    transaction_audit_id, position, transaction_id, message, message_time, event_time, event, command_tag,
    object_type, schema_name, object_identity, previous_identity, original, rewrite_reason,
    statement_text, query_text, redacted
  ) values (
    key, place, xid, message, moment, clock_timestamp(), event, tag,
    object_type, schema_name, identity, previous, original, reason,
    statement, query, redacted
  );
  if alone then
    perform set_config(
      'audit.standing',
      audit.signed(concat_ws(' ', xid, key, place, message, extract(epoch from moment))),
      true
    );
  end if;
  return place;
end
$function$;

-- The statement that a function or a DO block ran, out of the stack that PL/pgSQL shows. Line 1 is the function that
-- asked. Below stands the statement, between the quotation marks of the server's language, and then who ran it.
create or replace function audit.inner_statement(stack text)
  returns text
  stable
  language plpgsql
as $function$
declare
  marks text := '"';
begin
  if getdatabaseencoding() = 'UTF8' then
    marks := marks || chr(171) || chr(187) || chr(8220) || chr(8221) || chr(8222);
  end if;
  return substring(
    stack from format($re$^[^\n]*\n[^\n%1$s]*[%1$s](.*?)[%1$s]\n[^\n]*PL/pgSQL$re$, marks)
  );
end
$function$;

-- Runs before audit.log_schema_changes, because its event trigger's name sorts before, and leaves it the old names.
-- It is STABLE on purpose: such a function reads the catalog as it was before the command, and there the old name of
-- a renamed object still stands (spi.c: a read-only function takes no new snapshot). It must not do so where there is
-- no snapshot left to read with, which is in commands that run in transactions of their own (CONCURRENTLY).
create or replace function audit.remember_names()
  returns event_trigger
  stable
  security definer
  set search_path = pg_catalog, pg_temp
  set quote_all_identifiers = off
  language plpgsql
as $function$
declare
  names jsonb;
begin
  if tg_tag <> 'ALTER TABLE' or current_query() !~* 'concurrently' then
    select jsonb_object_agg(format('%s %s %s', c.classid, c.objid, c.objsubid), p.identity)
      into names
      from pg_event_trigger_ddl_commands() c,
           audit.previous_identity(c.classid, c.objid, c.objsubid, c.object_identity) as p (identity)
     where p.identity is not null;
  end if;
  -- Whatever the session put there is gone, too.
  if names is not null or current_setting('audit.previous_names', true) <> '' then
    perform set_config('audit.previous_names', coalesce(names::text, ''), true);
  end if;
end
$function$;

create or replace function audit.log_schema_changes()
  returns event_trigger
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set quote_all_identifiers = off
  language plpgsql
as $function$
declare
  command   record;
  granted   record;
  altered   boolean := tg_tag like 'ALTER %';
  names     jsonb;
  previous  text;
  stack     text;
  statement text;
  last_id   oid;
  last_sub  int;
  last_tag  text;
  place     int;
begin
  if altered then
    names := nullif(current_setting('audit.previous_names', true), '');
  end if;
  for command in
    select *
      from pg_event_trigger_ddl_commands() c
     where not c.in_extension
       and (c.schema_name is null or c.schema_name not in ('pg_temp', 'pg_toast'))
  loop
    -- CREATE OR REPLACE VIEW tells of the view and of its new columns, in the same words.
    if command.objid = last_id and command.objsubid = last_sub and command.command_tag = last_tag then
      continue;
    end if;
    last_id := command.objid;
    last_sub := command.objsubid;
    last_tag := command.command_tag;
    if stack is null then
      get diagnostics stack = pg_context;
      -- One line: nobody called us but the server itself.
      statement := case when stack like E'%\n%' then audit.inner_statement(stack) end;
    end if;
    if command.object_identity is null and tg_tag in ('GRANT', 'REVOKE', 'ALTER DEFAULT PRIVILEGES') then
      for granted in
        select *
          from audit.granted_objects(
                 case when stack like E'%\n%' then statement else audit.grant_statement() end
               )
      loop
        place := audit.record(
          'command', command.command_tag, command.object_type, granted.schema_name, granted.object_identity,
          null, null, null, statement
        );
      end loop;
      continue when place is not null;
    elsif altered and names is not null then
      previous := names ->> format('%s %s %s', command.classid, command.objid, command.objsubid);
    end if;
    place := audit.record(
      'command', command.command_tag, command.object_type, command.schema_name, command.object_identity,
      previous, null, null, statement
    );
  end loop;
end
$function$;

-- Whether the script of an extension is running: its row in pg_extension is of this transaction, and the command that
-- made or updated it has not ended yet. What a script drops carries no mark of its own.
create or replace function audit.in_extension_script()
  returns boolean
  volatile
  language plpgsql
as $function$
begin
  return exists (
    select
      from pg_extension e
     where age(e.xmin) <= age(pg_current_xact_id()::xid)
       and not exists (
             select
               from audit.transaction_audit t
               join audit.ddl_audit d on d.transaction_audit_id = t.id
              where t.event_time = transaction_timestamp()
                and t.transaction_id = txid_current()
                and d.command_tag in ('CREATE EXTENSION', 'ALTER EXTENSION')
                and d.object_identity = quote_ident(e.extname)
           )
  );
end
$function$;

comment on function audit.in_extension_script() is
  'Whether the script of an extension is running in this session.';

create or replace function audit.log_schema_drops()
  returns event_trigger
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set quote_all_identifiers = off
  language plpgsql
as $function$
declare
  gone      record;
  stack     text;
  statement text;
  place     int;
begin
  for gone in
    with dropped as materialized (
      select d.*
        from pg_event_trigger_dropped_objects() d
       where not d.is_temporary
         and d.schema_name is distinct from 'pg_toast'
    )
    select d.*
      from dropped d
     where d.original
        or case
             -- The members of an extension go with it; a column of one of its types does not belong to it.
             when tg_tag = 'DROP EXTENSION' then d.object_type like '% column'
             -- A table's row type and every array type, defaults, a view's rule, the triggers of a foreign key, a dropped
             -- table's constraints: parts of what is listed already.
             when d.object_type = 'type' then
               d.normal
               and d.object_identity not like '%[]'
               and d.object_identity not in (select r.object_identity from dropped r where r.object_type <> 'type')
             when d.object_type = 'table constraint' then
               d.address_names[1:2] not in (select r.address_names from dropped r where r.object_type like '%table')
             else
               d.object_type not in ('default value', 'toast table')
               and d.object_identity not like '"$_RETURN" on %' escape '$'
               and d.object_identity not like '"RI$_ConstraintTrigger$_%' escape '$'
           end
  loop
    if stack is null then
      get diagnostics stack = pg_context;
      if tg_tag <> 'DROP EXTENSION'
         and (stack like E'%\n%' or current_query() ~* 'extension')
         and audit.in_extension_script()
      then
        return;
      end if;
      statement := case when stack like E'%\n%' then audit.inner_statement(stack) end;
    end if;
    place := audit.record(
      'drop', tg_tag, gone.object_type, gone.schema_name, gone.object_identity, null, gone.original, null, statement
    );
  end loop;
end
$function$;

create or replace function audit.log_table_rewrites()
  returns event_trigger
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set quote_all_identifiers = off
  language plpgsql
as $function$
declare
  relation  record;
  stack     text;
  statement text;
  place     int;
begin
  select i.*
    into relation
    from pg_identify_object('pg_class'::regclass, pg_event_trigger_table_rewrite_oid(), 0) i;
  if relation.identity like 'pg_temp%.%' then
    return;
  end if;
  get diagnostics stack = pg_context;
  statement := case when stack like E'%\n%' then audit.inner_statement(stack) end;
  place := audit.record(
    'rewrite', tg_tag, relation.type, relation.schema, relation.identity, null, null,
    pg_event_trigger_table_rewrite_reason(), statement
  );
end
$function$;
