-- How does a change get into the trail? Event triggers say what happened, audit.log_schema_changes writes it down.

-- Only the function of the event triggers is SECURITY DEFINER and sets the search_path, and how identities are written:
-- nobody else may execute what it calls. No literal here needs a backslash: PL/pgSQL compiles with the session's
-- standard_conforming_strings.

-- What a client delivered that is not plain ASCII, as text: UTF-8 from most clients, whatever encoding the database has.
create or replace function audit.decoded(value text)
  returns text
  stable
  language plpgsql
as $function$
declare
  -- PGOPTIONS arrives as bytes that nobody checked.
  bytes bytea := replace(value, $re$\$re$, $re$\\$re$)::bytea;
begin
  return convert_from(bytes, 'UTF8');
exception
  when others then
    return case
      when pg_encoding_max_length(pg_char_to_encoding(getdatabaseencoding())) = 1 then value
      else encode(bytes, 'escape')
    end;
end
$function$;

-- Who proved to be whom when the session began, out of the server's activity table, which takes it some microseconds for
-- every slot that it has. It is IMMUTABLE on purpose, for in a session it is: whoever calls it has the answer in its plan,
-- and plans live as long as the session.
create or replace function audit.login_oid()
  returns oid
  immutable
  language plpgsql
as $function$
begin
  return (select a.usesysid from pg_stat_get_activity(pg_backend_pid()) a);
end
$function$;

-- The same, as its name is now. session_user follows SET SESSION AUTHORIZATION, this does not.
create or replace function audit.login_user()
  returns text
  stable
  language sql
as $function$
  select pg_get_userbyid(audit.login_oid())::text
$function$;

-- The key of a transaction, out of a word that it remembers: when the transaction began, so that keys are in the order of
-- time and new ones go to the end of an index; then its number and the word, so that no word leads into another one.
create or replace function audit.transaction_key(word text)
  returns uuid
  stable
  language sql
as $function$
  select encode(
    timestamptz_send(current_timestamp) || int8send(hashtextextended(word, txid_current())),
    'hex'
  )::uuid
$function$;

-- When the server started, which tells it from its copies. IMMUTABLE on purpose, as audit.login_oid.
create or replace function audit.server_start()
  returns text
  immutable
  language plpgsql
as $function$
begin
  return extract(epoch from pg_postmaster_start_time());
end
$function$;

-- The key of a transaction whose first event is written. It remembers the word from now on, which is no other's: the
-- time, on this server.
create or replace function audit.new_transaction_key()
  returns uuid
  volatile
  language sql
as $function$
  select audit.transaction_key(
    set_config('audit.standing', clock_timestamp()::text || audit.server_start(), true)
  )
$function$;

-- What a session says of itself, and the migration run that was found for it.
do $$
begin
  if to_regtype('audit.found_run') is null then
    create type audit.found_run as (
      run_id          uuid,
      delivery        text,
      ambiguous       boolean,
      claimed_run_id  text,
      claims          jsonb,
      user_name       text,
      user_email      text
    );
  end if;
end
$$;

-- Which migration run does this session belong to? Looked for in this order: what the setting audit.run_id claims, what
-- the application's name claims, the only open run of this login. A claim that names no open run of this login is kept
-- as a claim, and finds none.
create or replace function audit.find_run(login text)
  returns audit.found_run
  volatile
  language plpgsql
as $function$
declare
  -- What was delivered empty was not delivered.
  settings   text[] := array_replace(
    array[
      current_setting('audit.run_id', true),
      current_setting('audit.user_name', true),
      current_setting('audit.user_email', true),
      current_setting('audit.commit', true),
      current_setting('audit.authors', true),
      current_setting('audit.merger', true),
      current_setting('audit.reviewers', true),
      current_setting('audit.pull_requests', true),
      current_setting('audit.run_url', true)
    ],
    '',
    null
  );
  delivered  text := array_to_string(settings, '');
  named      text;
  began_as   text;
  open_runs  text[];
  delivery   text;
  run_id     text;
begin
  if delivered !~ '^[ -~]*$' collate "C" or octet_length(delivered) > 10000 then
    -- Longer than a startup packet no setting was ever delivered.
    settings := array(
      select left(audit.decoded(s.value), 10000)
        from unnest(settings) with ordinality as s (value, number)
       order by s.number
    );
  end if;
  open_runs := array(
    select r.id::text
      from audit.migration_run r
     where r.database_user = login
       and r.status = 'open'
       and r.expires_at > clock_timestamp()
  );
  if lower(settings[1]) = any (open_runs) then
    delivery := 'session';
    run_id := settings[1];
  else
    if current_setting('application_name') like 'schema-audit/%' then
      named := substr(current_setting('application_name'), 14, 36);
    end if;
    if cardinality(open_runs) = 1 and lower(named) = any (open_runs) then
      delivery := 'application_name';
      run_id := named;
    elsif exists (select from audit.migration_run r where r.database_user = login and r.status = 'open') then
      -- Only the name that a session began with is its own for certain; it outlives a later SET, and reading it costs
      -- half a millisecond. A name that was set is what a transaction pooler does for its clients, and the next
      -- client that brings none inherits it: it tells no two open runs apart, and one that has ended is not a claim.
      select substr(s.reset_val, 14, 36)
        into began_as
        from pg_settings s
       where s.name = 'application_name'
         and s.reset_val like 'schema-audit/%';
      if lower(began_as) = any (open_runs) then
        delivery := 'application_name';
        run_id := began_as;
      elsif settings[1] is null and began_as is null and cardinality(open_runs) = 1 then
        delivery := 'open_run';
        run_id := open_runs[1];
      end if;
    end if;
  end if;
  return row(
    run_id,
    coalesce(delivery, 'none'),
    run_id is null and cardinality(open_runs) > 1,
    coalesce(settings[1], named, began_as),
    -- Whoever delivers claims delivers one of these two.
    case
      when settings[1] is not null or settings[2] is not null then
        jsonb_strip_nulls(jsonb_object('{commit,authors,merger,reviewers,pull_requests,run_url}', settings[4:9]))
    end,
    settings[2],
    case when settings[1] is not null or settings[2] is not null then settings[3] end
  )::audit.found_run;
end
$function$;

-- Where a serializable transaction was told that its last event is, or null.
create or replace function audit.standing_tid()
  returns tid
  stable
  language sql
as $function$
  select case
    when current_setting('audit.standing', true) ~ '^[(][0-9]{1,9},[0-9]{1,4}[)]$'
      then current_setting('audit.standing', true)::tid
  end
$function$;

-- Whether a text may hold a secret. Nearly always no; a regular expression would say so at several times the cost.
create or replace function audit.may_hold_secret(content text)
  returns boolean
  immutable
  language sql
as $function$
  select lower(content collate "C") like any (
    '{%passw%,%pwd%,%secret%,%token%,%api%key%,%credential%,%conn%,%server%,%wrapper%,%://%}'
  )
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

-- The old names of the objects that the command which is just ending renamed or moved, by classid, objid and objsubid;
-- null where there is none. It is IMMUTABLE on purpose: such a function reads the catalog with the snapshot of its
-- caller, and for an expression of such functions alone PL/pgSQL takes no new one (pl_exec.c, expr_simple_mutable). So it
-- reads with the command's own, from before the command, and there the old name of a renamed object still stands.
create or replace function audit.previous_names(tag text)
  returns jsonb
  immutable
  language plpgsql
as $function$
begin
  -- A command that runs in transactions of its own has no snapshot left to read with.
  if tag = 'ALTER TABLE' and current_query() ~* 'detach.*concurrently' then
    return null;
  end if;
  return (
    select jsonb_object_agg(format('%s %s %s', c.classid, c.objid, c.objsubid), p.identity)
      from pg_event_trigger_ddl_commands() c,
           audit.previous_identity(c.classid, c.objid, c.objsubid, c.object_identity) as p (identity)
     where p.identity is not null
  );
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

-- An object that a command touched.
do $$
begin
  if to_regtype('audit.touched_object') is null then
    create type audit.touched_object as (
      command_tag        text,
      object_type        text,
      schema_name        text,
      object_identity    text,
      previous_identity  text,
      original           boolean,
      rewrite_reason     int
    );
  end if;
end
$$;

-- What a command made or altered, where that is not simply what PostgreSQL tells: with old names, or with the objects of
-- a GRANT. CREATE OR REPLACE VIEW tells of the view and of its new columns, in the same words.
create or replace function audit.made_objects(names jsonb, granting text)
  returns audit.touched_object[]
  volatile
  language plpgsql
as $function$
begin
  return array(
    select row(
             c.command_tag,
             c.object_type,
             coalesce(g.schema_name, c.schema_name),
             coalesce(g.object_identity, c.object_identity),
             names ->> format('%s %s %s', c.classid, c.objid, c.objsubid),
             null,
             null
           )::audit.touched_object
      from (
             select e.*,
                    lag(row(e.objid, e.objsubid, e.command_tag)) over (order by e.ordinality) as last
               from pg_event_trigger_ddl_commands() with ordinality e
           ) c
      left join audit.granted_objects(granting) g on granting is not null and c.object_identity is null
     where not c.in_extension
       and (c.schema_name is null or c.schema_name not in ('pg_temp', 'pg_toast'))
       and (c.objid is null or c.last is distinct from row(c.objid, c.objsubid, c.command_tag))
     order by c.ordinality
  );
end
$function$;

-- What a command dropped, where something went with what it named.
create or replace function audit.dropped_objects(tag text)
  returns audit.touched_object[]
  volatile
  language plpgsql
as $function$
begin
  return array(
    with dropped as materialized (
      select d.*
        from pg_event_trigger_dropped_objects() d
       where not d.is_temporary
         and d.schema_name is distinct from 'pg_toast'
    )
    select row(
             tag,
             d.object_type,
             d.schema_name,
             d.object_identity,
             null,
             d.original,
             null
           )::audit.touched_object
      from dropped d
     where d.original
        or case
             -- The members of an extension go with it; a column of one of its types does not belong to it.
             when tag = 'DROP EXTENSION' then d.object_type like '% column'
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
  );
end
$function$;

-- Writes down what a command did: an event for each object that it touched, with the first of a message its text, and
-- with the first of a transaction the transaction. It runs with every command of everybody, and what it costs is above
-- all the number of functions and operators in the expressions that it passes: PL/pgSQL prepares them anew in every
-- transaction, also what is behind an OR (bench/README.md). The usual command, the first of its transaction, passes few.
create or replace function audit.log_schema_changes()
  returns event_trigger
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set quote_all_identifiers = off
  -- A plan is made once a session, perhaps while the tables are small, and must do for large ones. What can only be read
  -- whole looks so dear then, before 18, that it would be compiled.
  set enable_seqscan = off
  set jit = off
  language plpgsql
as $function$
declare
  usual         boolean;
  stack         text;
  nested        boolean;                 -- or null
  statement     text;
  names         jsonb;
  objects       audit.touched_object[];  -- null: as the command tells them
  key           uuid;
  place         int;                     -- of the last event; null: there is none
  message       int;                     -- the place of its first event
  message_time  timestamptz;
  query         text;                    -- null: the message's text is stored already
  redacted      boolean;                 -- or null
  ended         timestamptz;
  last          tid;                     -- where the last event is
  login         text;
  run           audit.found_run;         -- or null
begin
  -- Which objects? Of what these commands made or altered PostgreSQL tells all or nothing.
  usual := tg_event = 'ddl_command_end' and tg_tag in (
    'CREATE TABLE', 'CREATE INDEX', 'COMMENT', 'CREATE FUNCTION', 'CREATE SEQUENCE', 'CREATE TYPE', 'CREATE POLICY',
    'CREATE TRIGGER'
  );
  -- One line of stack: nobody called us but the server itself.
  get diagnostics stack = pg_context;
  if not usual or stack like E'%\n%' then
    if stack like E'%\n%' then
      nested := true;
      statement := audit.inner_statement(stack);
      if audit.may_hold_secret(statement) then
        redacted := audit.redact(statement) <> statement;
        statement := audit.redact(statement);
      end if;
    end if;
    if tg_event = 'ddl_command_end' and tg_tag in ('ALTER TABLE', 'ALTER SEQUENCE', 'ALTER TYPE') then
      -- Without these words nothing has a new name, unless in a function.
      if nested or lower(current_query() collate "C") like any ('{%rename%,%schema%}') then
        names := audit.previous_names(tg_tag);
        if names is not null then
          objects := audit.made_objects(names, null);
        end if;
      end if;
    elsif tg_event = 'sql_drop' then
      if nested or lower(current_query() collate "C") like '%extension%' then
        if tg_tag <> 'DROP EXTENSION' and audit.in_extension_script() then
          return;
        end if;
      end if;
      objects := array(
        select row(
                 tg_tag, d.object_type, d.schema_name, d.object_identity, null, d.original, null
               )::audit.touched_object
          from pg_event_trigger_dropped_objects() d
         where not d.is_temporary
           and d.schema_name is distinct from 'pg_toast'
           and (
                 d.original
                 or d.object_type not in ('type', 'default value', 'toast table')
                 or d.object_type = 'type' and d.normal
               )
      );
      -- Row types, array types and the like go with nearly everything; what else does needs a closer look.
      if cardinality(objects) > 1 or not (objects[1]).original then
        objects := audit.dropped_objects(tg_tag);
      end if;
    elsif tg_tag like 'DROP %' and tg_tag <> 'DROP OWNED' then
      -- PostgreSQL tells of nothing that a command dropped when the command ends.
      return;
    elsif tg_event = 'table_rewrite' then
      objects := array(
        select row(
                 tg_tag, i.type, i.schema, i.identity, null, null, pg_event_trigger_table_rewrite_reason()
               )::audit.touched_object
          from pg_identify_object('pg_class'::regclass, pg_event_trigger_table_rewrite_oid(), 0) i
         where i.identity not like 'pg_temp%.%'
      );
    elsif tg_tag in ('GRANT', 'REVOKE', 'ALTER DEFAULT PRIVILEGES') then
      objects := audit.made_objects(null, case when nested then statement else audit.grant_statement() end);
    elsif not usual then
      if tg_tag like 'ALTER %' then
        names := audit.previous_names(tg_tag);
      end if;
      objects := audit.made_objects(names, null);
    end if;
    if objects = '{}' then
      return;
    end if;
  end if;

  -- Where in its transaction does the command stand? The transaction remembers it in a setting, which is taken back with a
  -- savepoint as its events are; whoever overwrites it writes as if in another transaction.
  if current_setting('audit.standing', true) <> '' or current_setting('transaction_isolation') = 'serializable' then
    if current_setting('transaction_isolation') <> 'serializable' then
      -- The word of its key.
      key := audit.transaction_key(current_setting('audit.standing'));
      select d.position,
             d.message,
             d.message_time
        into place, message, message_time
        from audit.ddl_audit d
       where d.transaction_audit_id = key
       order by d.position desc
       limit 1;
    else
      -- The place of its last event in the table: one that looked for it by key would read what others write too (predicate
      -- locks are on an index's pages), and transactions that never meet would fail each other.
      if objects is null then
        objects := audit.made_objects(null, null);
        if objects = '{}' then
          return;
        end if;
      end if;
      select d.transaction_audit_id,
             d.position,
             d.message,
             d.message_time
        into key, place, message, message_time
        from audit.ddl_audit d
       where d.ctid = audit.standing_tid()
         and d.transaction_id = txid_current()
         and age(d.xmin) <= age(pg_current_xact_id()::xid);
    end if;
    -- All statements of one message have one statement_timestamp(), and no two messages of a transaction do.
    if message_time is distinct from statement_timestamp() then
      message := coalesce(place, 0) + 1;
      query := current_query();
      if place is null then
        key := audit.new_transaction_key();
      end if;
    end if;
  else
    key := audit.new_transaction_key();
    query := current_query();
  end if;
  if audit.may_hold_secret(query) then
    query := audit.redact(query);
    redacted := coalesce(redacted, false) or query <> current_query();
  end if;

  -- No volatile function among the columns: a plan takes another step for it.
  ended := clock_timestamp();
  if objects is null then
    insert into audit.ddl_audit (
      transaction_audit_id, position, transaction_id, message, message_time, event_time, event, command_tag,
      object_type, schema_name, object_identity, previous_identity, original, rewrite_reason,
      statement_text, query_text, redacted
    )
    select key,
           (coalesce(place, 0) + c.ordinality)::int,
           txid_current(),
           coalesce(message, 1),
           statement_timestamp(),
           ended,
           'command',
           c.command_tag,
           c.object_type,
           c.schema_name,
           c.object_identity,
           null::text,
           null::boolean,
           null::int,
           statement,
           case c.ordinality when 1 then query end,
           coalesce(redacted, false)
      from pg_event_trigger_ddl_commands() with ordinality c
     where not c.in_extension
       and (c.schema_name is null or c.schema_name not in ('pg_temp', 'pg_toast'));
  else
    for last in insert into audit.ddl_audit (
      transaction_audit_id, position, transaction_id, message, message_time, event_time, event, command_tag,
      object_type, schema_name, object_identity, previous_identity, original, rewrite_reason,
      statement_text, query_text, redacted
    )
    select key,
           (coalesce(place, 0) + o.ordinality)::int,
           txid_current(),
           coalesce(message, 1),
           statement_timestamp(),
           ended,
           case tg_event when 'sql_drop' then 'drop' when 'table_rewrite' then 'rewrite' else 'command' end,
           o.command_tag,
           o.object_type,
           o.schema_name,
           o.object_identity,
           o.previous_identity,
           o.original,
           o.rewrite_reason,
           statement,
           case o.ordinality when 1 then query end,
           coalesce(redacted, false)
      from unnest(objects) with ordinality o
    returning ctid loop
    end loop;
    if current_setting('transaction_isolation') = 'serializable' then
      perform set_config('audit.standing', last::text, true);
    end if;
  end if;

  -- With the first event of a transaction: who, how, and which migration run?
  if found and place is null then
    login := audit.login_user();
    -- Whoever delivers settings delivers one of these two.
    if greatest(current_setting('audit.run_id', true), current_setting('audit.user_name', true)) <> '' then
      run := audit.find_run(login);
    end if;
    loop
      insert into audit.transaction_audit (
        id, transaction_id, event_time, database_user, application_user_name, application_user_email, client_address,
        login_user, role, application_name, pid, delivery, ambiguous, run_id, claimed_run_id, claims
      )
      select key,
             txid_current(),
             current_timestamp,
             session_user::text,
             run.user_name,
             run.user_email,
             inet_client_addr(),
             login,
             nullif(current_setting('role'), 'none'),
             current_setting('application_name'),
             pg_backend_pid(),
             coalesce(run.delivery, 'none'),
             coalesce(run.ambiguous, false),
             run.run_id,
             run.claimed_run_id,
             run.claims
       where run.delivery is not null
          or (
               current_setting('application_name') not like 'schema-audit/%'
               and not exists (
                     select
                       from audit.migration_run r
                      where r.database_user = login
                        and r.status = 'open'
                   )
             );
      exit when found;
      -- The session names itself, or a run of this login is open.
      run := audit.find_run(login);
    end loop;
  end if;
end
$function$;
