-- How does a change get into the trail? Three event triggers collect what happened, one function records it.

-- The three are STABLE on purpose: a stable function reads the catalog as it was before the command, which is
-- where the old name of a renamed object still stands (SPI_execute: read-only functions take no new snapshot).
-- audit.record_changes is volatile and writes.

create or replace function audit.setting(name text)
  returns text
  stable
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  value text := nullif(current_setting(name, true), '');
  bytes bytea;
begin
  if value is null or value ~ '^[\x20-\x7e]*$' then
    return left(value, 10000);
  end if;
  -- PGOPTIONS arrives as bytes that nobody checked: UTF-8 from most clients, whatever encoding the database has.
  bytes := replace(value, '\', '\\')::bytea;
  begin
    return left(convert_from(bytes, 'UTF8'), 10000);
  exception
    when others then
      if pg_encoding_max_length(pg_char_to_encoding(getdatabaseencoding())) = 1 then
        return left(value, 10000);
      end if;
      return left(encode(bytes, 'escape'), 10000);
  end;
end
$$;

create or replace function audit.uuid_or_null(value text)
  returns uuid
  immutable
  set search_path = pg_catalog, pg_temp
  language sql
as $$
  select case
    when value ~ '^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$' then value::uuid
  end
$$;

create or replace function audit.record_transaction(key uuid, xid bigint)
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  -- session_user is what SET SESSION AUTHORIZATION says; the login is who proved it.
  login     text := (select pg_get_userbyid(a.usesysid) from pg_stat_get_activity(pg_backend_pid()) a);
  app_name  text := nullif(current_setting('application_name'), '');
  claimed   text := audit.setting('audit.run_id');
  named     text := substring(current_setting('application_name') from '^schema-audit/(\S+)');
  open_runs uuid[];
  run       uuid;
  how       text := 'none';
begin
  select array_agg(r.id)
    into open_runs
    from audit.migration_run r
   where r.database_user = login
     and r.status = 'open'
     and r.expires_at > clock_timestamp();
  if open_runs is not null then
    if audit.uuid_or_null(claimed) = any (open_runs) then
      how := 'session';
      run := claimed::uuid;
    else
      if named is null then
        -- The name that the session started with outlives a later SET. Reading it costs half a millisecond.
        select substring(s.reset_val from '^schema-audit/(\S+)')
          into named
          from pg_settings s
         where s.name = 'application_name';
      end if;
      if audit.uuid_or_null(named) = any (open_runs) then
        how := 'application_name';
        run := named::uuid;
      elsif claimed is null and named is null and cardinality(open_runs) = 1 then
        how := 'open_run';
        run := open_runs[1];
      end if;
    end if;
  end if;
  insert into audit.transaction_audit (
    id, transaction_id, event_time, database_user, application_user_name, application_user_email, client_address,
    login_user, role, application_name, pid, delivery, ambiguous, run_id, claimed_run_id, claims
  ) values (
    key,
    xid,
    transaction_timestamp(),
    session_user,
    audit.setting('audit.user_name'),
    audit.setting('audit.user_email'),
    inet_client_addr(),
    login,
    nullif(current_setting('role'), 'none'),
    app_name,
    pg_backend_pid(),
    how,
    how = 'none' and coalesce(cardinality(open_runs) > 1, false),
    run,
    coalesce(claimed, named),
    null
  );
end
$$;

create or replace function audit.record_changes(kind text, changes audit.change[], context text)
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  xid           bigint := txid_current();
  -- 56 bits of the transaction's start in microseconds, 32 of its number, 24 of its process, 8 of its database:
  -- the same for every event of one transaction, in the order of time, and never the same for two. The digits
  -- in between make it a UUID of version 8 (RFC 9562).
  digits        text := to_hex((extract(epoch from transaction_timestamp()) * 1000000)::bigint & 72057594037927935);
  number        text;
  last          record;
  key           uuid;
  first         int := 1;
  message_start int := 1;
  query         text;
  masked        text;
begin
  digits := lpad(digits, 14, '0');
  number := lpad(to_hex(xid & 4294967295), 8, '0');
  key := (left(digits, 12) || '8' || right(digits, 2) || left(number, 1) || '8' || right(number, 7)
          || right('00000' || to_hex(pg_backend_pid()), 6)
          || right('0' || to_hex(hashtext(current_database()) & 255), 2))::uuid;
  select d.position, d.message, d.message_time
    into last
    from audit.ddl_audit d
   where d.transaction_audit_id = key
   order by d.position desc
   limit 1;
  if found then
    first := last.position + 1;
    message_start := case when last.message_time = statement_timestamp() then last.message else first end;
  else
    perform audit.record_transaction(key, xid);
  end if;
  if message_start = first then
    query := current_query();
    masked := audit.redact(query);
  end if;
  insert into audit.ddl_audit (
    transaction_audit_id, position, transaction_id, message, message_time, event_time, event, command_tag,
    object_type, schema_name, object_identity, previous_identity, original, rewrite_reason,
    statement_text, query_text, redacted
  )
  select key,
         first + c.ordinality::int - 1,
         xid,
         message_start,
         statement_timestamp(),
         clock_timestamp(),
         kind,
         c.command_tag,
         c.object_type,
         c.schema_name,
         c.object_identity,
         c.previous_identity,
         c.original,
         c.rewrite_reason,
         audit.redact(context),
         case when c.ordinality = 1 then masked end,
         c.ordinality = 1 and masked is distinct from query
    from unnest(changes) with ordinality as c;
end
$$;

create or replace function audit.inner_statement(context text)
  returns text
  immutable
  set search_path = pg_catalog, pg_temp
  language sql
as $$
  -- Line 1 is our own function. Below it stands the statement that called it, between quotation marks of the
  -- server's language, and then the function or block that ran it.
  select (regexp_match(
    context,
    '^[^\n]*\n[^\n"«»„“”]*["«»„“”](.*?)["«»“”]\n[^\n]*PL/pgSQL'
  ))[1]
$$;

create or replace function audit.previous_identity(classid oid, objid oid, objsubid int, identity text)
  returns text
  stable
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  old text;
begin
  if classid = 'pg_class'::regclass then
    select quote_ident(n.nspname) || '.' || quote_ident(c.relname)
           || coalesce('.' || quote_ident(a.attname), '')
      into old
      from pg_class c
      join pg_namespace n on n.oid = c.relnamespace
      left join pg_attribute a on a.attrelid = c.oid and a.attnum = objsubid and objsubid > 0
     where c.oid = objid;
  end if;
  return nullif(old, identity);
end
$$;

create or replace function audit.log_schema_changes()
  returns event_trigger
  stable
  security definer
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  changes audit.change[];
  context text;
begin
  select array_agg(
           row(
             c.command_tag, c.object_type, c.schema_name, c.object_identity,
             case when tg_tag like 'ALTER %' then audit.previous_identity(c.classid, c.objid, c.objsubid, c.object_identity) end,
             null, null
           )::audit.change
         )
    into changes
    from pg_event_trigger_ddl_commands() c
   where not c.in_extension
     and c.schema_name is distinct from 'pg_temp';
  if changes is null then
    return;
  end if;
  get diagnostics context = pg_context;
  perform audit.record_changes('command', changes, audit.inner_statement(context));
end
$$;

create or replace function audit.log_schema_drops()
  returns event_trigger
  stable
  security definer
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  changes audit.change[];
  context text;
begin
  with dropped as materialized (
    select d.*
      from pg_event_trigger_dropped_objects() d
     where not d.is_temporary
       and d.schema_name is distinct from 'pg_toast'
  )
  select array_agg(
           row(tg_tag, d.object_type, d.schema_name, d.object_identity, null, d.original, null)::audit.change
         )
    into changes
    from dropped d
   where d.original
      or (
           tg_tag <> 'DROP EXTENSION'
           -- A table's row type, its defaults and constraints, a view's rule: parts of what is listed already.
           and d.object_type not in ('type', 'default value', 'toast table')
           and d.object_identity not like '"\_RETURN" on %'
           and not (
                 d.object_type = 'table constraint'
                 and d.address_names[1:2] in (
                       select r.address_names from dropped r where r.object_type like '%table'
                     )
               )
         );
  if changes is null then
    return;
  end if;
  get diagnostics context = pg_context;
  perform audit.record_changes('drop', changes, audit.inner_statement(context));
end
$$;

create or replace function audit.log_table_rewrites()
  returns event_trigger
  stable
  security definer
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  relation oid := pg_event_trigger_table_rewrite_oid();
  changes  audit.change[];
  context  text;
begin
  select array[row(
           tg_tag, i.type, i.schema, i.identity, null, null, pg_event_trigger_table_rewrite_reason()
         )::audit.change]
    into changes
    from pg_identify_object('pg_class'::regclass, relation, 0) i
   where i.schema is distinct from 'pg_temp';
  if changes is null then
    return;
  end if;
  get diagnostics context = pg_context;
  perform audit.record_changes('rewrite', changes, audit.inner_statement(context));
end
$$;
