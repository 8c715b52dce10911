-- From which state does this start? Bare, an earlier version of ours, or the article's two tables; else it stops.

-- Two installations at once would trip over each other; of two first ones the second fails at the schema. Nobody
-- else can hold this lock, and a reader of the table does not.
set local lock_timeout = '10s';

do $$
begin
  if to_regclass('audit.installation') is not null then
    lock table audit.installation in share row exclusive mode;
  end if;
exception
  when lock_not_available then
    raise exception 'Another installation of the trail is under way here; nothing was changed.'
      using errcode = 'lock_not_available';
end
$$;

-- An autovacuum that is at work on a table waits for what this transaction has changed of it, and a comment on the table
-- waits for the autovacuum. Whoever waits for this lock from the beginning makes it give way; writers do not mind.
do $$
declare
  tab regclass;
begin
  if to_regclass('audit.installation') is null then
    return;
  end if;
  for tab in
    select c.oid
      from pg_catalog.pg_class c
     where c.relnamespace = to_regnamespace('audit')
       and c.relkind = 'r'
     order by c.relname
  loop
    begin
      execute format('lock table %s in share update exclusive mode', tab);
    exception
      when insufficient_privilege then null;  -- what of it is not ours is not commented on either
    end;
  end loop;
end
$$;

do $$
declare
  holds   text[];
  columns text[];
  state   text;
  version text;
begin
  if to_regclass('audit.installation') is not null then
    execute 'select i.version from audit.installation i order by i.installed_at desc limit 1' into version;
    if string_to_array(split_part(version, '-', 1), '.')::int[] > array[0, 2, 0] then
      raise exception 'The trail here is version %, and this script would install the older 0.2.0.', version
        using hint = 'Use the scripts of that version or a newer one; nothing was changed.';
    end if;
    state := version;
  else
    -- Everything counts: who could create a function here before us could lie in wait for a call of ours.
    select array_agg(held.thing order by held.thing)
      into holds
      from (
        select case c.relkind
                 when 'v' then 'view '
                 when 'm' then 'materialized view '
                 when 'S' then 'sequence '
                 when 'f' then 'foreign table '
                 when 'c' then 'type '
                 else 'table '
               end || c.relname as thing
          from pg_catalog.pg_class c
         where c.relnamespace = to_regnamespace('audit')
           and c.relkind in ('r', 'p', 'v', 'm', 'S', 'f', 'c')
        union all
        select 'function ' || p.proname || '(' || pg_catalog.pg_get_function_identity_arguments(p.oid) || ')'
          from pg_catalog.pg_proc p
         where p.pronamespace = to_regnamespace('audit')
        union all
        select 'type ' || t.typname
          from pg_catalog.pg_type t
         where t.typnamespace = to_regnamespace('audit')
           and t.typtype in ('d', 'e', 'r')
      ) held;
    select array_agg(c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
                     order by c.relname, a.attname)
      into columns
      from pg_catalog.pg_class c
      join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
     where c.relnamespace = to_regnamespace('audit')
       and c.relkind = 'r';
    if holds is null then
      state := 'bare';
    elsif holds = array[
      'function log_schema_changes()', 'sequence ddl_audit_id_seq', 'table ddl_audit', 'table transaction_audit'
    ] and columns = array[
      'ddl_audit.command_tag text', 'ddl_audit.id bigint', 'ddl_audit.object_identity text',
      'ddl_audit.query_text text', 'ddl_audit.transaction_id bigint',
      'transaction_audit.application_user_email text', 'transaction_audit.application_user_name text',
      'transaction_audit.client_address inet', 'transaction_audit.database_user text',
      'transaction_audit.event_time timestamp with time zone', 'transaction_audit.transaction_id bigint'
    ] then
      state := 'article';
    else
      raise exception 'The schema audit is there already, and it is not ours: it holds %.', array_to_string(holds, ', ')
        using hint = 'Another audit extension may live there. Rename its schema, or use another database; what you '
                     'added to the article''s two tables, drop or move to another schema first. Nothing was changed.';
    end if;
  end if;
  perform set_config('audit.started_from', state, true);
end
$$;

-- What recorded until now is in a block, before it is replaced.
do $$
begin
  if to_regprocedure('audit.seal()') is not null then
    perform audit.seal();
  end if;
end
$$;

-- The roles live in the whole cluster. Where this role may not make them, it owns the trail itself, and
-- audit.status() says so.
do $$
declare
  wanted text;
begin
  foreach wanted in array array['audit_owner', 'audit_recorder', 'audit_reader'] loop
    if to_regrole(wanted) is null then
      begin
        execute format('create role %I nologin', wanted);
      exception
        when duplicate_object or unique_violation then null;  -- another session was first
        when insufficient_privilege then
          raise warning 'The role % cannot make the role %: the trail works, but its rights cannot be told apart.',
            current_user, wanted
            using hint = 'Give it CREATEROLE, or let an administrator run "create role ' || wanted || ' nologin".';
      end;
    end if;
  end loop;
  if to_regrole('audit_owner') is not null and not pg_has_role(current_user, 'audit_owner', 'member') then
    begin
      execute format('grant audit_owner to %I', current_user);
    exception
      when insufficient_privilege then null;
    end;
  end if;
end
$$;

do $$
declare
  event_trigger  record;
  foreign_object record;
begin
  -- Our own triggers step aside for the length of this transaction; other sessions keep seeing them until it ends.
  for event_trigger in
    select e.evtname
      from pg_catalog.pg_event_trigger e
      join pg_catalog.pg_proc p on p.oid = e.evtfoid
     where p.pronamespace = to_regnamespace('audit')
  loop
    execute format('drop event trigger %I', event_trigger.evtname);
  end loop;
  if to_regnamespace('audit') is null then
    create schema audit;
  end if;
  if to_regrole('audit_owner') is not null and pg_has_role(current_user, 'audit_owner', 'member') then
    alter schema audit owner to audit_owner;
    -- The article's, and what a restore without the owners left with whoever restored it.
    for foreign_object in
      select 'table ' || c.oid::regclass as name
        from pg_catalog.pg_class c
       where c.relnamespace = to_regnamespace('audit')
         and c.relkind in ('r', 'p', 'v')
         and c.relowner <> to_regrole('audit_owner')
      union all
      select 'type ' || c.reltype::regtype
        from pg_catalog.pg_class c
       where c.relnamespace = to_regnamespace('audit')
         and c.relkind = 'c'
         and c.relowner <> to_regrole('audit_owner')
      union all
      select 'routine ' || p.oid::regprocedure
        from pg_catalog.pg_proc p
       where p.pronamespace = to_regnamespace('audit')
         and p.proowner <> to_regrole('audit_owner')
    loop
      execute format('alter %s owner to audit_owner', foreign_object.name);
    end loop;
    set local role audit_owner;
  end if;
end
$$;

comment on schema audit is
  'Who changed this schema, and who let it through. Read audit.history; everything else serves it.';
