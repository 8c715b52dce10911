-- Installs the trail into the database you are connected to, upgrades an earlier version of it, or adopts the
-- two tables of the article it grew from. All or nothing, and safe to run again:
--
--     psql -v ON_ERROR_STOP=1 -f sql/install.sql
--
-- Each part makes what is missing and replaces what may have changed. What an earlier version needs besides is a part
-- of its own that asks current_setting('audit.started_from'), as parts/adopt_article.sql does.
--
-- The parts are plain SQL: any client that replaces each \ir line by the file it names can run them as one script.
begin;
set local client_min_messages = warning;
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
-- What becomes of the article's two tables? They grow the columns of ours, in place: rows, readers' rights and the
-- views that somebody built on them stay.

do $$
declare
  item record;
begin
  if current_setting('audit.started_from') <> 'article' then
    return;
  end if;
  for item in
    select c.conrelid::regclass as tab, c.conname
      from pg_catalog.pg_constraint c
     where c.conrelid in ('audit.transaction_audit'::regclass, 'audit.ddl_audit'::regclass)
       and c.contype in ('p', 'f', 'u', 'c')
     order by c.contype  -- foreign keys before the keys that they need
  loop
    execute format('alter table %s drop constraint %I', item.tab, item.conname);
  end loop;
  alter table audit.transaction_audit
    add column id uuid not null default gen_random_uuid(),
    add column login_user text,
    add column role text,
    add column application_name text,
    add column pid int,
    add column delivery text not null default 'none',
    add column ambiguous boolean not null default false,
    add column run_id uuid,
    add column claimed_run_id text,
    add column claims jsonb,
    add constraint transaction_audit_pkey primary key (id);
  alter table audit.ddl_audit
    alter column query_text drop not null,
    add column transaction_audit_id uuid,
    add column position int,
    add column message int,
    add column message_time timestamptz,
    add column event_time timestamptz,
    add column event text not null default 'command',
    add column object_type text,
    add column schema_name text,
    add column previous_identity text,
    add column original boolean,
    add column rewrite_reason int,
    add column statement_text text,
    add column redacted boolean not null default false;
  -- The article has the text on every row: each stays a message of its own.
  update audit.ddl_audit d
     set transaction_audit_id = n.key,
         position = n.position,
         message = n.position,
         message_time = n.event_time,
         event_time = n.event_time
    from (
           select o.id,
                  t.id as key,
                  t.event_time,
                  row_number() over (partition by o.transaction_id order by o.id) as position
             from audit.ddl_audit o
             join audit.transaction_audit t using (transaction_id)
         ) n
   where d.id = n.id;
  alter table audit.ddl_audit
    alter column event drop default,
    alter column transaction_audit_id set not null,
    alter column position set not null,
    alter column message set not null,
    alter column message_time set not null,
    alter column event_time set not null,
    drop column id,
    add constraint ddl_audit_pkey primary key (transaction_audit_id, position);
  -- Reading stays allowed to whom it was; writing was allowed to the login that runs migrations, and forged rows.
  for item in
    select c.oid::regclass as tab, a.privilege_type, coalesce(quote_ident(r.rolname), 'public') as grantee
      from pg_catalog.pg_class c
     cross join lateral pg_catalog.aclexplode(c.relacl) a
      left join pg_catalog.pg_roles r on r.oid = a.grantee
     where c.oid in ('audit.transaction_audit'::regclass, 'audit.ddl_audit'::regclass)
       and a.privilege_type <> 'SELECT'
       and a.grantee <> c.relowner
  loop
    execute format('revoke %s on %s from %s', item.privilege_type, item.tab, item.grantee);
  end loop;
  for item in
    select coalesce(quote_ident(r.rolname), 'public') as grantee
      from pg_catalog.pg_namespace n
     cross join lateral pg_catalog.aclexplode(n.nspacl) a
      left join pg_catalog.pg_roles r on r.oid = a.grantee
     where n.nspname = 'audit'
       and a.privilege_type = 'CREATE'
       and a.grantee <> n.nspowner
  loop
    execute format('revoke create on schema audit from %s', item.grantee);
  end loop;
end
$$;
-- What did version 0.1.0 have that this one has not? Functions that became one, indexes that are in
-- sql/dashboard.sql now, and a secret.

do $$
declare
  item text;
begin
  if current_setting('audit.started_from') <> '0.1.0' then
    return;
  end if;
  foreach item in array array[
    'remember_names()', 'log_schema_drops()', 'log_table_rewrites()', 'tags_of_alter()', 'record_transaction(bigint)',
    'record(text, text, text, text, text, text, boolean, int, text)', 'setting(text)', 'signed(text)'
  ] loop
    execute format('drop function if exists audit.%s', item);
  end loop;
  drop table if exists audit.secret;
  drop index if exists
    audit.migration_run_people,
    audit.migration_run_actor,
    audit.migration_run_triggering_actor,
    audit.transaction_audit_newest,
    audit.transaction_audit_run,
    audit.transaction_audit_manual,
    audit.transaction_audit_user_name,
    audit.transaction_audit_user_email,
    audit.transaction_audit_user,
    audit.ddl_audit_command_tag,
    audit.ddl_audit_drop,
    audit.ddl_audit_object,
    audit.ddl_audit_previous,
    audit.ddl_audit_owner,
    audit.ddl_audit_inner_keyword;
end
$$;
-- What is kept? Migration runs, transactions that changed the schema, and what they changed.

create table if not exists audit.installation (
  id            uuid        primary key default gen_random_uuid(),
  version       text        not null,
  installed_at  timestamptz not null default clock_timestamp(),
  installed_by  text        not null default session_user,
  started_from  text        not null,
  chain         uuid        not null,
  fingerprint   text        not null
);

create table if not exists audit.migration_run (
  id                uuid        primary key default gen_random_uuid(),
  started_at        timestamptz not null default clock_timestamp(),
  finished_at       timestamptz,
  expires_at        timestamptz not null,
  status            text        not null default 'open',
  exit_code         int,
  in_progress       bigint[]    not null default '{}',
  database_user     text        not null,
  begun_by          text        not null,
  repository        text,
  environment       text,
  workflow          text,
  job               text,
  run_id            bigint,
  run_attempt       int,
  run_url           text,
  event             text,
  ref               text,
  base_sha          text,
  head_sha          text,
  range_source      text,
  actor             text,
  triggering_actor  text,
  commits           jsonb       not null default '[]',
  pull_requests     jsonb       not null default '[]',
  authors           jsonb       not null default '[]',
  mergers           jsonb       not null default '[]',
  reviewers         jsonb       not null default '[]',
  approvers         jsonb       not null default '[]',
  unavailable       jsonb       not null default '[]',
  -- A run is open, or it has ended in one of five ways.
  constraint status_is_known
    check (status in ('open', 'succeeded', 'failed', 'cancelled', 'refused', 'abandoned')),
  -- An open run has no end, every other has one.
  constraint only_an_open_run_has_no_end
    check ((status = 'open') = (finished_at is null))
);

create table if not exists audit.recorder_permission (
  id             uuid primary key default gen_random_uuid(),
  recorder       text not null,
  database_user  text not null,
  -- One permission a pair of logins.
  constraint one_permission_a_pair
    unique (recorder, database_user)
);

-- One row a transaction that changed the schema. transaction_id is no key: PostgreSQL counts again after a restore.
-- The first six columns after the key are those of the article that the trail grew from.
create table if not exists audit.transaction_audit (
  id                      uuid        primary key default gen_random_uuid(),
  transaction_id          bigint      not null,
  event_time              timestamptz not null default now(),
  database_user           text        not null,
  application_user_name   text,
  application_user_email  text,
  client_address          inet,
  login_user              text,
  role                    text,
  application_name        text,
  pid                     int,
  delivery                text        not null default 'none',
  ambiguous               boolean     not null default false,
  run_id                  uuid,
  claimed_run_id          text,
  claims                  jsonb
);

-- One row an object that a command touched. The client's text stands on the first row of its message alone.
-- There is no foreign key and no check: each would cost a command about as much as the rest of its row, and only
-- audit.log_schema_changes writes here.
create table if not exists audit.ddl_audit (
  transaction_audit_id  uuid        not null,
  position              int         not null,
  transaction_id        bigint      not null,
  message               int         not null,
  message_time          timestamptz not null,
  event_time            timestamptz not null,
  event                 text        not null,
  command_tag           text        not null,
  object_type           text,
  schema_name           text,
  object_identity       text,
  previous_identity     text,
  original              boolean,
  rewrite_reason        int,
  statement_text        text,
  query_text            text,
  redacted              boolean     not null default false,
  -- Events of a transaction are numbered from 1 in the order in which they happened.
  constraint ddl_audit_pkey
    primary key (transaction_audit_id, position)
);

-- The GRANTs of a message that have not ended yet (audit.grant_statement). Empty outside of transactions.
create unlogged table if not exists audit.pending_grant (
  transaction_id  bigint      not null,
  message_time    timestamptz not null,
  number          int         not null,
  statement_text  text        not null,
  constraint pending_grant_pkey
    primary key (transaction_id, message_time, number)
);

-- Only what is missing: CREATE INDEX IF NOT EXISTS waits for every open transaction that changed the schema, also where
-- there is nothing to do, and everybody else waits behind it.
do $$
declare
  wanted record;
begin
  for wanted in
    values
      -- The run of a login that is open now; and by a person's or a repository's name, the runs of the past.
      ('migration_run_open',
        $index$audit.migration_run (database_user)
          where status = 'open'$index$),
      ('migration_run_newest', 'audit.migration_run (started_at desc)'),
      -- Every command pays for each one more: those of a dashboard over a long history are in sql/dashboard.sql.
      ('transaction_audit_newest', 'audit.transaction_audit (event_time)')
  loop
    if to_regclass('audit.' || wanted.column1) is null then
      execute format('create index %I on %s', wanted.column1, wanted.column2);
    end if;
  end loop;
end
$$;

-- Keyword searches, where the database has pg_trgm. The trail never creates the extension: a migration that does would
-- fail on finding it.
do $$
declare
  home text;
begin
  select quote_ident(n.nspname)
    into home
    from pg_catalog.pg_extension e
    join pg_catalog.pg_namespace n on n.oid = e.extnamespace
   where e.extname = 'pg_trgm';
  if home is not null and to_regclass('audit.ddl_audit_keyword') is null then
    execute format(
      'create index ddl_audit_keyword on audit.ddl_audit using gin (query_text %s.gin_trgm_ops) '
      'where query_text is not null',
      home
    );
  end if;
exception
  when insufficient_privilege then null;
end
$$;
-- What must not be stored? Passwords, tokens and connection strings are masked before a text reaches a table.

-- Splits statements into tokens the way PostgreSQL's own scanner does (scan.l): words, literals, quoted names,
-- comments, dollar-quoted bodies, white space. Joined, the tokens are the text again.
create or replace function audit.tokens(statement text)
  returns setof text
  stable
  language plpgsql
as $function$
declare
  plain_literal constant text := case
    when current_setting('standard_conforming_strings') = 'on' then $re$'(?:[^']|'')*'$re$
    else $re$'(?:[^'\\]|\\.|'')*'$re$
  end;
  comment  constant text := $re$/\*(?:[^*/]|\*(?!/)|/(?!\*))*\*/$re$;
  -- Whatever hides other tokens: literals, quoted names, comments (one inside another, twice).
  opaque   constant text := $re$[eE]'(?:[^'\\]|\\.|'')*'|[uU]&'(?:[^']|'')*'|$re$ || plain_literal
    || $re$|"(?:[^"]|"")*"|--[^\n]*|/\*(?:[^*/]|\*(?!/)|/(?!\*)|$re$ || comment || $re$)*\*/$re$;
  -- A name begins with a letter, an underscore or anything beyond ASCII, and goes on with digits and dollars too.
  letter   constant text := $re$[^\x01-\x40\x5b-\x5e\x60\x7b-\x7f]$re$;
  further  constant text := $re$[^\x01-\x23\x25-\x2f\x3a-\x40\x5b-\x5e\x60\x7b-\x7f]$re$;
  token    constant text := opaque || '|' || letter || further || $re$*|[0-9]+|\s+|:=|=>|.$re$;
  -- Text in which everything opaque has an end.
  closed   constant text := '^(?:' || opaque || $re$|[^'"/-]|-(?!-)|/(?!\*))*$re$ || '$';
  tag      constant text := '[$](?:' || letter || '(?:(?![$])' || further || ')*)?[$]';
  pieces   text[];
  tags     text[];
  code     text;
  opened   text;
  body     text;
begin
  if strpos(statement, '$') = 0 then
    return query select m[1] from regexp_matches(statement, '(' || token || ')', 'g') m;
    return;
  end if;
  pieces := regexp_split_to_array(statement, tag);
  tags := array(select m[1] from regexp_matches(statement, '(' || tag || ')', 'g') m);
  code := pieces[1];
  for i in 1 .. cardinality(tags) loop
    if body is not null then
      if tags[i] = opened then
        return next body || opened;
        body := null;
        code := pieces[i + 1];
      elsif starts_with(pieces[i + 1], substr(opened, 2)) then
        -- $$ a$b$$: the last dollar sign of what looked like a tag begins the one that closes.
        return next body || left(tags[i], -1) || opened;
        body := null;
        code := substr(pieces[i + 1], length(opened));
      else
        body := body || tags[i] || pieces[i + 1];
      end if;
    elsif code ~ closed and code !~ (further || '$') then
      return query select m[1] from regexp_matches(code, '(' || token || ')', 'g') m;
      opened := tags[i];
      body := opened || pieces[i + 1];
    else
      -- A dollar sign inside a literal, a comment or a name opens nothing.
      code := code || tags[i] || pieces[i + 1];
    end if;
  end loop;
  if body is not null then
    return next body;
  else
    return query select m[1] from regexp_matches(code, '(' || token || ')', 'g') m;
  end if;
end
$function$;

-- Masks what looks like a secret inside a value: password=... of a connection string, the password of a URL.
create or replace function audit.redact_value(value text)
  returns text
  immutable
  language sql
as $function$
  select regexp_replace(
    regexp_replace(
      value,
      $re$((?:password|passwd|pwd|secret|token|api_?key)\s*=\s*)(?:'[^']*'|[^\s'"&]+)$re$, $re$\1<redacted>$re$, 'gi'
    ),
    $re$(://[^:/@\s'"]*:)[^@\s'"]+@$re$, $re$\1<redacted>@$re$, 'g'
  )
$function$;

-- The statements of one message with their secrets masked; everything else stays as it was written.
create or replace function audit.redact(statement text, depth int default 0)
  returns text
  stable
  language plpgsql
as $function$
declare
  secret_word  constant text := '(password|passwd|pwd|secret|token|api_?key|credential|conninfo)';
  -- Options that say where and as whom, and open no door.
  harmless     constant text[] := array[
    'host', 'hostaddr', 'port', 'dbname', 'user', 'username', 'schema_name', 'table_name', 'column_name', 'type', 'version'
  ];
  mask         constant text := '''<redacted>''';
  result       text[] := '{}';
  plain        int[] := '{}';  -- where in the result a literal stands that names no secret itself
  token        text;
  word         text;           -- the token, if it is a word or a quoted name
  before       text := '';     -- the last token that is no space and no comment, in lower case
  before_that  text := '';
  head         text := '';     -- the first words of this statement
  exposed      boolean := false;
  inner_text   text;
  quote        text;
begin
  if depth > 4 then
    return '<redacted>';
  end if;
  for token in select t from audit.tokens(statement) t loop
    if token ~ '^[[:space:]]+$' then
      result := result || token;
      continue;
    elsif token ~ '^(--|/[*])' then
      if token ~* secret_word then
        token := left(token, 2) || audit.redact(substr(token, 3), depth + 1);
      end if;
      result := result || token;
      continue;
    elsif token = ';' then
      head := '';
      before := '';
      before_that := '';
      result := result || token;
      continue;
    end if;
    if token ~ '^([eE]|[uU]&)?''|^[$].*[$]$' and length(token) > 1 then
      if before = '<masked>'
         or before ~ '^(password|connection)$'
         or before_that ~ secret_word and before in ('=', ':=', '=>', 'to', ',')
         or before ~ secret_word and head ~ '^(create|alter) (user mapping|server|foreign data|subscription)'
         or head ~ '^(create|alter) (user mapping|server|foreign data)' and before <> all (harmless)
      then
        token := mask;
        before_that := before;
        before := '<masked>';
      else
        before_that := before;
        before := lower(token);
        if token ~* (secret_word || '|://') then
          quote := case when token like '$%' then substring(token from '^[$][^$]*[$]') else '''' end;
          inner_text := substr(token, strpos(token, quote) + length(quote));
          inner_text := left(inner_text, -length(quote));
          if quote = '''' then
            inner_text := replace(replace(inner_text, $re$\'$re$, ''''), '''''', '''');
          end if;
          -- A statement that is put together here takes its secret from another literal nearby.
          exposed := exposed or inner_text ~* (secret_word || $re$[\s"']*((=|to|:=)[\s"']*)?(%|$)$re$);
          if quote = '''' then
            inner_text := audit.redact_value(inner_text);
          end if;
          inner_text := audit.redact(inner_text, depth + 1);
          if quote = '''' then
            inner_text := replace(inner_text, '''', '''''');
          end if;
          token := substring(token from '^(?:[eE]|[uU]&)?') || quote || inner_text || quote;
        else
          if token not like '$%' or depth > 0 then
            plain := plain || cardinality(result) + 1;
          end if;
        end if;
      end if;
    else
      word := lower(case when token like '"%' then trim(both '"' from token) else token end);
      if token ~ '^[[:alpha:]_"]' and length(head) < 40 then
        head := head || case when head = '' then '' else ' ' end || word;
      end if;
      before_that := before;
      before := word;
    end if;
    result := result || token;
  end loop;
  if exposed then
    for i in 1 .. cardinality(plain) loop
      result[plain[i]] := mask;
    end loop;
  end if;
  return array_to_string(result, '');
end
$function$;

comment on function audit.tokens(text) is
  'The tokens of some statements, as the server''s own scanner would cut them. Joined, they are the text again.';
comment on function audit.redact_value(text) is
  'A value with the secrets of connection strings and URLs masked.';
comment on function audit.redact(text, int) is
  'The statements of one message with their secrets masked; everything else stays as it was written.';
-- What was an object called before, and what did a GRANT name? PostgreSQL tells neither to an event trigger.

-- The name of an object, qualified and quoted as in its identity, as the caller's snapshot sees the catalog.
create or replace function audit.object_name(classid oid, objid oid, objsubid int)
  returns text
  stable
  language plpgsql
as $function$
declare
  name text;
  -- The columns of the catalogs whose objects can be renamed or moved, besides pg_class.
  name_column constant jsonb := '{
    "pg_type": ["typname", "typnamespace"], "pg_proc": ["proname", "pronamespace"],
    "pg_operator": ["oprname", "oprnamespace"], "pg_opclass": ["opcname", "opcnamespace"],
    "pg_opfamily": ["opfname", "opfnamespace"], "pg_collation": ["collname", "collnamespace"],
    "pg_conversion": ["conname", "connamespace"], "pg_ts_config": ["cfgname", "cfgnamespace"],
    "pg_ts_dict": ["dictname", "dictnamespace"], "pg_ts_parser": ["prsname", "prsnamespace"],
    "pg_ts_template": ["tmplname", "tmplnamespace"], "pg_statistic_ext": ["stxname", "stxnamespace"],
    "pg_namespace": ["nspname"], "pg_constraint": ["conname"], "pg_trigger": ["tgname"], "pg_policy": ["polname"],
    "pg_rewrite": ["rulename"], "pg_language": ["lanname"], "pg_foreign_server": ["srvname"],
    "pg_foreign_data_wrapper": ["fdwname"], "pg_publication": ["pubname"], "pg_subscription": ["subname"]
  }';
  catalog text;
  columns jsonb;
begin
  if classid = 'pg_class'::regclass then
    select quote_ident(n.nspname) || '.' || quote_ident(c.relname) || coalesce('.' || quote_ident(a.attname), '')
      into name
      from pg_class c
      join pg_namespace n on n.oid = c.relnamespace
      left join pg_attribute a on a.attrelid = c.oid and a.attnum = objsubid and objsubid > 0
     where c.oid = objid;
    return name;
  end if;
  catalog := classid::regclass::text;
  columns := name_column -> catalog;
  if columns is null then
    return null;
  end if;
  if jsonb_array_length(columns) = 2 then
    execute format(
      'select quote_ident(n.nspname) || ''.'' || %s from %s o join pg_namespace n on n.oid = o.%s where o.oid = $1',
      case catalog when 'pg_operator' then 'o.oprname' else 'quote_ident(o.' || (columns ->> 0) || ')' end,
      catalog,
      columns ->> 1
    ) into name using objid;
  else
    execute format('select quote_ident(o.%s) from %s o where o.oid = $1', columns ->> 0, catalog)
      into name using objid;
  end if;
  return name;
end
$function$;

-- The same, as the catalog stands now, whatever the caller's snapshot: a volatile function takes a new one.
create or replace function audit.object_name_now(classid oid, objid oid, objsubid int)
  returns text
  volatile
  language plpgsql
as $function$
begin
  return audit.object_name(classid, objid, objsubid);
end
$function$;

-- The identity that an object had before the command that is just ending, or null when it kept its own. To be called
-- from a trigger function that is stable, and so reads the catalog as it was.
create or replace function audit.previous_identity(classid oid, objid oid, objsubid int, identity text)
  returns text
  stable
  language plpgsql
as $function$
declare
  old text := audit.object_name(classid, objid, objsubid);
  new text;
begin
  if old is null or old = identity then
    return null;
  end if;
  if classid = 'pg_class'::regclass then
    return old;
  end if;
  new := audit.object_name_now(classid, objid, objsubid);
  if old = new then
    return null;
  end if;
  -- A function's arguments, a trigger's table: what follows the name in an identity stays.
  return old || case when starts_with(identity, new) then substr(identity, length(new) + 1) else '' end;
end
$function$;

-- A name as it is stored, from how it is written.
create or replace function audit.unquoted(name text)
  returns text
  immutable
  language sql
as $function$
  select case when name like '"%' then replace(substr(name, 2, length(name) - 2), '""', '"') else name end
$function$;

-- What a GRANT, REVOKE or ALTER DEFAULT PRIVILEGES names: one row an object, or one for a whole class of them.
create or replace function audit.granted_objects(statement text)
  returns table (schema_name text, object_identity text)
  stable
  language plpgsql
as $function$
declare
  words  text[] := '{}';  -- of the statement, without comments; what stands in parentheses is one word
  word   text;
  depth  int := 0;
  first  int;
  last   int;
  kind   text;
  object text;
begin
  for word in select t from audit.tokens(statement) t loop
    continue when word ~ '^([[:space:]]+|--.*|/[*].*)$';
    if depth > 0 or word = '(' then
      depth := depth + case word when '(' then 1 when ')' then -1 else 0 end;
      words[cardinality(words)] := coalesce(words[cardinality(words)], '') || case
        when word = ',' then ', '
        else word
      end;
    elsif cardinality(words) > 0 and (word = '.' or words[cardinality(words)] like '%.') then
      words[cardinality(words)] := words[cardinality(words)] || word;
    else
      words := words || case when word ~ '^[[:alpha:]_]' then lower(word) else word end;
    end if;
  end loop;
  first := array_position(words, 'on');
  if first is null then
    return;
  end if;
  last := coalesce(
    array_position(words, case when 'revoke' = any (words[1:first]) then 'from' else 'to' end, first),
    cardinality(words) + 1
  );
  if words[1] = 'alter' then
    -- alter default privileges for role r in schema s grant select on tables to u
    schema_name := case
      when words[array_position(words, 'schema') + 2] in ('grant', 'revoke') then
        audit.unquoted(words[array_position(words, 'schema') + 1])
    end;
    object_identity := array_to_string(
      words[2:coalesce(array_position(words, 'grant'), array_position(words, 'revoke')) - 1] || words[first:last - 1], ' '
    );
    return next;
    return;
  end if;
  words := words[first + 1:last - 1];
  if words[1] = 'all' then
    -- all tables in schema s, t: one row a schema
    kind := array_to_string(words[1:array_position(words, 'schema')], ' ');
    foreach object in array words[array_position(words, 'schema') + 1:] loop
      continue when object = ',';
      schema_name := audit.unquoted(object);
      object_identity := kind || ' ' || object;
      return next;
    end loop;
    return;
  end if;
  kind := 'table';
  if words[1:2] = array['large', 'object'] or words[1:2] = array['foreign', 'server'] then
    kind := words[1] || ' ' || words[2];
    words := words[3:];
  elsif words[1:3] = array['foreign', 'data', 'wrapper'] then
    kind := 'foreign data wrapper';
    words := words[4:];
  elsif words[1] in (
    'table', 'sequence', 'function', 'procedure', 'routine', 'schema', 'type', 'domain', 'language', 'database',
    'tablespace', 'parameter'
  ) and cardinality(words) > 1 and words[2] <> ',' then
    kind := words[1];
    words := words[2:];
  end if;
  foreach object in array words loop
    continue when object = ',';
    if kind in ('table', 'sequence') and object !~ '[.]' then
      object := coalesce(audit.granted_relation(object), object);
    end if;
    schema_name := audit.unquoted(case
      when kind = 'schema' then object
      else substring(object from '^("(?:[^"]|"")+"|[^".(]+)[.]')
    end);
    object_identity := object;
    return next;
  end loop;
end
$function$;

-- The qualified name of a relation that a GRANT named without its schema: the only one of that name, or the only one
-- that this transaction touched. The session's own search_path cannot be seen from here.
create or replace function audit.granted_relation(name text)
  returns text
  volatile
  language plpgsql
as $function$
declare
  found text[];
begin
  select array_agg(quote_ident(n.nspname) || '.' || quote_ident(c.relname))
    into found
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
   where c.relname = audit.unquoted(name)
     and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
     and n.nspname not in ('pg_toast', 'information_schema');
  if cardinality(found) = 1 then
    return found[1];
  end if;
  select array_agg(quote_ident(n.nspname) || '.' || quote_ident(c.relname))
    into found
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
   where c.relname = audit.unquoted(name)
     and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
     and age(c.xmin) <= age(pg_current_xact_id()::xid);
  return case when cardinality(found) = 1 then found[1] end;
end
$function$;

-- The statement of the GRANT, REVOKE or ALTER DEFAULT PRIVILEGES that is just ending. In a message of many statements
-- they come one after the other: the first that ends puts the others aside, and each takes the next.
create or replace function audit.grant_statement()
  returns text
  volatile
  language plpgsql
as $function$
declare
  message    text := current_query();
  statement  text := '';
  statements text[] := '{}';
  token      text;
  -- What is put aside would have to be looked for, among what others put aside.
  divided    boolean := current_setting('transaction_isolation') = 'serializable';
  ended      boolean := false;  -- something ended after a GRANT; if another follows, they are divided
begin
  if strpos(message, ';') = 0 then
    return message;
  end if;
  if not divided then
    delete from audit.pending_grant p
     where p.transaction_id = txid_current()
       and p.message_time = statement_timestamp()
       and p.number = (
             select min(n.number)
               from audit.pending_grant n
              where n.transaction_id = txid_current()
                and n.message_time = statement_timestamp()
           )
    returning p.statement_text into statement;
    if found then
      return statement;
    end if;
  end if;
  statement := '';
  for token in select t from audit.tokens(message) t union all select ';' loop
    if token <> ';' then
      statement := statement || case when token ~ '^(--|/[*])' then ' ' else token end;
      continue;
    end if;
    if statement ~* $re$^\s*(commit|end|rollback|abort|prepare)\y$re$ then
      ended := cardinality(statements) > 0;
    elsif statement ~* $re$^\s*(grant|revoke|alter\s+default\s+privileges)\y.*\yon\y$re$
       and statement !~* $re$\yon\s+(database|tablespace|parameter)\s$re$
    then
      statements := statements || statement;
      divided := divided or ended;
    end if;
    statement := '';
  end loop;
  if cardinality(statements) > 1 and divided then
    -- A transaction or savepoint that ends takes its place in the line with it.
    return null;
  end if;
  insert into audit.pending_grant (transaction_id, message_time, number, statement_text)
  select txid_current(), statement_timestamp(), g.number, g.statement
    from unnest(statements) with ordinality as g (statement, number)
   where g.number > 1;
  return statements[1];
end
$function$;
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
-- What does everybody read? One view, one row an event, flat: audit.history.

do $do$
begin
  execute format(
    $view$
create or replace view audit.history as
select d.transaction_audit_id,
       d.transaction_id,
       d.position,
       d.message,
       d.event_time,
       t.event_time as transaction_start,
       d.event,
       d.command_tag,
       d.object_type,
       d.schema_name,
       d.object_identity,
       d.previous_identity,
       d.original,
       d.rewrite_reason,
       d.statement_text,
       m.query_text,
       d.redacted or m.redacted as redacted,
       t.database_user,
       t.login_user,
       t.role,
       t.application_user_name,
       t.application_user_email,
       t.application_name,
       t.client_address,
       t.pid,
       t.delivery,
       t.ambiguous,
       t.claimed_run_id,
       t.claims,
       t.run_id,
       r.status as run_status,
       r.repository,
       r.environment,
       r.workflow,
       r.job,
       r.run_url,
       r.event as run_event,
       r.ref,
       r.base_sha,
       r.head_sha,
       r.actor,
       r.triggering_actor,
       r.pull_requests,
       r.commits,
       r.authors,
       r.mergers,
       r.reviewers,
       r.approvers%s
  from audit.ddl_audit d
  join audit.transaction_audit t on t.id = d.transaction_audit_id
  join audit.ddl_audit m on m.transaction_audit_id = d.transaction_audit_id and m.position = d.message
  left join audit.migration_run r on r.id = t.run_id
    $view$,
    -- In a warehouse of many trails (sql/fan-in.sql) it has one column more.
    (
      select E',\n       t.source_database'
        from pg_catalog.pg_attribute a
       where a.attrelid = 'audit.transaction_audit'::regclass
         and a.attname = 'source_database'
         and not a.attisdropped
    )
  );
exception
  when lock_not_available then
    raise exception 'Somebody has been reading audit.history for ten seconds, in a transaction that is still open; '
                    'nothing was changed.'
      using errcode = 'lock_not_available',
            hint = 'A dump reads it too. Install again when it has ended.';
end
$do$;

comment on view audit.history is
  'The read contract: one row an object touched by one command, with the transaction, the migration run and the people behind it.';
-- Was anything changed after it was written? Blocks of digests, each bound to the one before it.

-- Sealing reads what is committed and only ever adds rows of its own: no change of the schema waits for it. A
-- transaction that commits late goes into a later block. Between its commit and its seal a row can still be changed
-- unseen by who may disable the guards; and who writes the whole chain again is found out by a digest that was kept
-- outside of the database (audit.verify(digest)). Sealing at the end of every migration run keeps the first gap
-- short, and its digest in the job summary closes the second.

create table if not exists audit.block (
  id                 uuid        primary key default gen_random_uuid(),
  chain              uuid        not null,
  number             bigint      not null,
  previous_digest    bytea,
  entries            int         not null,
  oldest             timestamptz,
  newest             timestamptz,
  columns            jsonb       not null,
  root               bytea       not null,
  recorders          jsonb       not null,
  installed          text,
  system_identifier  bigint      not null,
  database_oid       bigint      not null,
  sealed_at          timestamptz not null,
  sealed_by          text        not null,
  digest             bytea       not null,
  -- One block has one place in one chain.
  constraint one_block_a_place
    unique (chain, number),
  -- Only the first block of a chain has none before it.
  constraint only_the_first_has_no_previous
    check ((number = 1) = (previous_digest is null))
);

create table if not exists audit.sealed_row (
  block_id  uuid  not null,
  kind      text  not null,
  row_id    uuid  not null,
  digest    bytea not null,
  -- A row is sealed once in a block; and once in a chain, for which audit.seal() cares.
  constraint sealed_row_pkey
    primary key (block_id, kind, row_id),
  -- Transactions with all their events, runs that have ended, installations, and what was purged.
  constraint kind_is_known
    check (kind in ('transaction', 'run', 'installation', 'purge'))
);

create index if not exists sealed_row_row
  on audit.sealed_row (row_id);

create table if not exists audit.purged_block (
  block_id   uuid        primary key,
  purged_at  timestamptz not null default clock_timestamp(),
  purged_by  text        not null default session_user
);

-- What can be sealed: everything that does not change any more.
create or replace view audit.sealable_row as
select 'transaction' as kind, t.id as row_id, t.event_time as moment
  from audit.transaction_audit t
union all
select 'run', r.id, r.finished_at
  from audit.migration_run r
 where r.status <> 'open'
union all
select 'installation', i.id, i.installed_at
  from audit.installation i
union all
select 'purge', p.block_id, p.purged_at
  from audit.purged_block p;

-- Text as the same bytes whatever the encoding of the database. SQL_ASCII has none: its bytes are taken as they are.
create or replace function audit.sha256_of(value text)
  returns bytea
  stable
  language sql
as $function$
  select sha256(
    case getdatabaseencoding()
      when 'SQL_ASCII' then replace(value, $re$\$re$, $re$\\$re$)::bytea  -- whatever standard_conforming_strings is
      else convert_to(value, 'UTF8')
    end
  )
$function$;

-- The columns that a block seals. It names them, so a column that comes later is sealed from then on, and what was
-- sealed before stays true.
create or replace function audit.columns_to_seal()
  returns jsonb
  stable
  language sql
as $function$
  select jsonb_object_agg(t.relname, t.columns)
    from (
      select c.relname, jsonb_agg(a.attname order by a.attnum) as columns
        from pg_class c
        join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
       where c.relnamespace = to_regnamespace('audit')
         and c.relname in ('transaction_audit', 'ddl_audit', 'migration_run', 'installation', 'purged_block')
       group by c.relname
    ) t
$function$;

-- The digests of these rows, or of all, over these columns. What stands at the front of each names the way of doing
-- it. They mean something only in a pinned time zone: audit.seal and audit.verify ask.
create or replace function audit.row_digests(columns jsonb, wanted uuid[])
  returns table (kind text, row_id uuid, digest bytea)
  stable
  language plpgsql
as $function$
declare
  list   jsonb;
  ddl    text;
  single record;
  query  text;
begin
  select jsonb_object_agg(c.key, (
           select string_agg(format('r.%I', v.name), ', ' order by v.place)
             from jsonb_array_elements_text(c.value) with ordinality v (name, place)
         ))
    into list
    from jsonb_each(columns) c;
  query := format(
    $query$
    select 'transaction',
           t.id,
           sha256(
             audit.sha256_of((select json_build_array('audit/transaction/1', %s) from (select t.*) r)::text)
             || coalesce(
                  (
                    select string_agg(
                             audit.sha256_of(json_build_array('audit/event/1', %s)::text), ''::bytea order by r.position
                           )
                      from audit.ddl_audit r
                     where r.transaction_audit_id = t.id
                  ),
                  ''::bytea
                )
           )
      from audit.transaction_audit t
     where $1 is null or t.id = any ($1)
    $query$,
    list ->> 'transaction_audit', list ->> 'ddl_audit'
  );
  for single in
    values ('run', 'migration_run', 'id', $$r.status <> 'open'$$),
           ('installation', 'installation', 'id', 'true'),
           ('purge', 'purged_block', 'block_id', 'true')
  loop
    query := query || format(
      $query$
      union all
      select %L, r.%I, audit.sha256_of(json_build_array(%L, %s)::text)
        from audit.%I r
       where (%s)
         and ($1 is null or r.%I = any ($1))
      $query$,
      single.column1, single.column3, 'audit/' || single.column1 || '/1', list ->> single.column2, single.column2,
      single.column4, single.column3
    );
  end loop;
  return query execute query using wanted;
end
$function$;

create or replace function audit.block_digest(block audit.block)
  returns bytea
  stable
  language sql
as $function$
  select audit.sha256_of(
    json_build_array(
      'audit/block/1', block.id, block.chain, block.number, encode(block.previous_digest, 'hex'), block.entries,
      block.oldest, block.newest, block.columns, encode(block.root, 'hex'), block.recorders, block.installed,
      block.system_identifier, block.database_oid, block.sealed_at, block.sealed_by
    )::text
  )
$function$;

-- The state of what records and guards: event triggers, functions, append-only triggers. A row's xmin is the
-- transaction that wrote it, and outlives VACUUM FREEZE and VACUUM FULL: so whoever disables an event trigger and
-- enables it again leaves a trace, although PostgreSQL fires no event trigger for that.
create or replace function audit.state_of_recorders()
  returns jsonb
  stable
  -- How names are written must not depend on who asks.
  set search_path = pg_catalog, pg_temp
  set quote_all_identifiers = off
  language sql
as $function$
  select jsonb_object_agg(s.name, s.state)
    from (
      select format('event trigger %I', e.evtname) as name,
             format('%s %s %s %s', e.evtenabled, e.evtevent, e.evtfoid::regprocedure, e.xmin) as state
        from pg_event_trigger e
        join pg_proc p on p.oid = e.evtfoid
       where p.pronamespace = to_regnamespace('audit')
      union all
      select format('function %s', p.oid::regprocedure),
             format('%s %s', p.xmin, encode(audit.sha256_of(concat_ws(' ', p.prosrc, p.prosecdef, p.proconfig)), 'hex'))
        from pg_proc p
       where p.pronamespace = to_regnamespace('audit')
      union all
      select format('trigger %I on %s', t.tgname, t.tgrelid::regclass),
             format('%s %s %s', t.tgenabled, t.tgfoid::regprocedure, t.xmin)
        from pg_trigger t
        join pg_class c on c.oid = t.tgrelid
       where c.relnamespace = to_regnamespace('audit')
         and not t.tgisinternal
    ) s
$function$;

-- The chain that this database goes on with: the one it sealed last; else, after a restore, the only one there is; else
-- that of its installation. A warehouse of many trails has one of its own.
create or replace function audit.own_chain()
  returns uuid
  stable
  language plpgsql
as $function$
declare
  own    uuid;
  chains uuid[];
begin
  select b.chain
    into own
    from audit.block b
   where b.system_identifier = (select c.system_identifier from pg_control_system() c)
     and b.database_oid = (select d.oid from pg_database d where d.datname = current_database())::bigint
   order by b.sealed_at desc
   limit 1;
  if own is null then
    chains := array(select distinct b.chain from audit.block b);
    own := case cardinality(chains)
      when 1 then chains[1]
      else (select i.chain from audit.installation i order by i.installed_at desc limit 1)
    end;
  end if;
  return own;
end
$function$;

-- Binds one more block to the chain: these rows, whose moments ascend. The caller holds the lock.
create or replace function audit.add_block(own uuid, head audit.block, wanted uuid[], moments timestamptz[])
  returns audit.block
  volatile
  language plpgsql
as $function$
declare
  block audit.block;
begin
  block.id := gen_random_uuid();
  block.chain := own;
  block.number := coalesce(head.number, 0) + 1;
  block.previous_digest := head.digest;
  block.columns := audit.columns_to_seal();
  block.recorders := audit.state_of_recorders();
  block.system_identifier := (select c.system_identifier from pg_control_system() c);
  block.database_oid := (select d.oid from pg_database d where d.datname = current_database())::bigint;
  block.sealed_at := clock_timestamp();
  block.sealed_by := session_user;
  insert into audit.sealed_row (block_id, kind, row_id, digest)
  select block.id, d.kind, d.row_id, d.digest
    from audit.row_digests(block.columns, wanted) d;
  select count(*), coalesce(sha256(string_agg(s.digest, ''::bytea order by s.kind collate "C", s.row_id)), ''::bytea)
    into block.entries, block.root
    from audit.sealed_row s
   where s.block_id = block.id;
  block.oldest := moments[1];
  block.newest := moments[cardinality(moments)];
  -- An installation since the last block explains that what records is another now.
  select i.version
    into block.installed
    from audit.installation i
   where i.id = any (wanted)
     and (head.sealed_at is null or i.installed_at > head.sealed_at)
   order by i.installed_at desc
   limit 1;
  block.digest := audit.block_digest(block);
  insert into audit.block select block.*;
  return block;
end
$function$;

create or replace function audit.seal()
  returns audit.block
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set timezone = 'UTC'
  set datestyle = 'ISO'
  set extra_float_digits = 1
  set lock_timeout = '5s'
  -- Without fresh statistics one would join every row with every other.
  set enable_nestloop = off
  language plpgsql
as $function$
declare
  rows_a_block constant int := 1000;
  own      uuid;
  head     audit.block;
  waiting  uuid[];
  moments  timestamptz[];
begin
  begin
    -- Not an advisory lock: everybody may take those, and keep us waiting.
    lock table audit.block in share row exclusive mode;
  exception
    when lock_not_available then
      raise exception 'Another session is sealing the trail, and has not ended its transaction for five seconds.'
        using errcode = 'lock_not_available',
              hint = 'What is not sealed now will be sealed the next time.';
  end;
  own := audit.own_chain();
  select coalesce(array_agg(w.row_id order by w.moment), '{}'), coalesce(array_agg(w.moment order by w.moment), '{}')
    into waiting, moments
    from (
           select r.row_id, r.moment
             from audit.sealable_row r
            where not exists (
                    select
                      from audit.sealed_row s
                      join audit.block b on b.id = s.block_id
                     where b.chain = own
                       and s.row_id = r.row_id
                       and s.kind = r.kind
                  )
              -- The transaction that seals may go on and change more.
              and r.row_id is distinct from (
                    select t.id
                      from audit.transaction_audit t
                     where t.transaction_id = txid_current_if_assigned()
                       and t.event_time = transaction_timestamp()
                  )
         ) w;
  select b.* into head from audit.block b where b.chain = own order by b.number desc limit 1;
  if cardinality(waiting) = 0 and head.recorders is distinct from audit.state_of_recorders() then
    head := audit.add_block(own, head, waiting, moments);
  end if;
  for place in 1 .. cardinality(waiting) by rows_a_block loop
    head := audit.add_block(
      own, head, waiting[place : place + rows_a_block - 1], moments[place : place + rows_a_block - 1]
    );
  end loop;
  return head;
end
$function$;

-- Is each block as it was written, and does it follow the one before it?
create or replace function audit.findings_in_blocks()
  returns table (chain uuid, block bigint, subject text, ok boolean, detail text)
  stable
  language sql
as $function$
  with block as (
    select b.chain,
           b.number,
           b.sealed_at,
           b.previous_digest,
           b.digest,
           audit.block_digest(b) as computed,
           lag(b.digest) over w as digest_before,
           coalesce(lag(b.number) over w, 0) as number_before
      from audit.block b
    window w as (partition by b.chain order by b.number)
  )
  select b.chain, b.number, 'block', false, format('it was changed after it was sealed (%s)', b.sealed_at)
    from block b
   where b.digest is distinct from b.computed
  union all
  select b.chain, b.number, 'block', false,
         case b.number - b.number_before
           when 2 then format('block %s before it is gone', b.number - 1)
           else format('blocks %s to %s before it are gone', b.number_before + 1, b.number - 1)
         end
    from block b
   where b.number <> b.number_before + 1
  union all
  select b.chain, b.number, 'block', false, format('it does not follow block %s as that stands now', b.number_before)
    from block b
   where b.number = b.number_before + 1
     and b.previous_digest is distinct from b.digest_before
$function$;

-- Has each block the digests that it was sealed with?
create or replace function audit.findings_in_roots()
  returns table (chain uuid, block bigint, subject text, ok boolean, detail text)
  stable
  language sql
as $function$
  with sealed as (
    select s.block_id,
           count(*) as entries,
           sha256(string_agg(s.digest, ''::bytea order by s.kind collate "C", s.row_id)) as root
      from audit.sealed_row s
     group by s.block_id
  )
  select b.chain,
         b.number,
         'block',
         p.block_id is not null and s.entries is null,
         case
           when p.block_id is not null and s.entries is null then
             format('its %s rows were purged by %s (%s)', b.entries, p.purged_by, p.purged_at)
           when p.block_id is not null then 'it was purged, and holds digests nevertheless'
           when coalesce(s.entries, 0) <> b.entries then
             format('it sealed %s rows, and names %s now', b.entries, coalesce(s.entries, 0))
           else 'its digests were changed after it was sealed'
         end
    from audit.block b
    left join sealed s on s.block_id = b.id
    left join audit.purged_block p on p.block_id = b.id
   where p.block_id is not null
      or coalesce(s.entries, 0) <> b.entries
      or coalesce(s.root, ''::bytea) <> b.root
  union all
  select null, null, 'block ' || s.block_id, false, format('it is gone, and %s rows name it', s.entries)
    from sealed s
   where not exists (select from audit.block b where b.id = s.block_id)
$function$;

-- Has each row the digest that was sealed?
create or replace function audit.findings_in_rows()
  returns table (chain uuid, block bigint, subject text, ok boolean, detail text)
  stable
  language plpgsql
as $function$
declare
  present constant jsonb := audit.columns_to_seal();
  sealed  record;
  missing text;
begin
  for sealed in
    select b.columns, min(b.number) as oldest from audit.block b group by b.columns
  loop
    select string_agg(c.key || '.' || v.name, ', ' order by c.key, v.name)
      into missing
      from jsonb_each(sealed.columns) c
     cross join lateral jsonb_array_elements_text(c.value) v (name)
     where not coalesce(present -> c.key ? v.name, false);
    if missing is not null then
      return query
        select audit.own_chain(), sealed.oldest, 'block'::text, false, format('it sealed %s, which is gone', missing);
      continue;
    end if;
    return query
      select b.chain,
             b.number,
             s.kind || ' ' || s.row_id,
             false,
             case when d.row_id is null then 'it is gone' else 'it was changed after it was sealed' end
        from audit.sealed_row s
        join audit.block b on b.id = s.block_id and b.columns = sealed.columns
        left join audit.row_digests(sealed.columns, null) d on d.kind = s.kind and d.row_id = s.row_id
       where d.digest is distinct from s.digest;
  end loop;
end
$function$;

-- Did what records stay the same from block to block, and since the newest? Only an installation may change it; in
-- another server or database everything was made anew.
create or replace function audit.findings_in_recorders(own uuid)
  returns table (chain uuid, block bigint, subject text, ok boolean, detail text)
  stable
  language sql
as $function$
  with step as (
    select b.chain,
           b.number,
           b.installed,
           concat_ws(' ', b.system_identifier, b.database_oid) as place,
           lag(concat_ws(' ', b.system_identifier, b.database_oid)) over w as place_before,
           b.recorders,
           lag(b.recorders) over w as recorders_before,
           format('between block %s and block %s, sealed %s', b.number - 1, b.number, b.sealed_at) as time
      from audit.block b
    window w as (partition by b.chain order by b.number)
    union all
    (
      select b.chain,
             b.number,
             (
               select i.version
                 from audit.installation i
                where i.installed_at > b.sealed_at
                order by i.installed_at desc
                limit 1
             ),
             (
               select concat_ws(' ', c.system_identifier, d.oid)
                 from pg_control_system() c, pg_database d
                where d.datname = current_database()
             ),
             concat_ws(' ', b.system_identifier, b.database_oid),
             audit.state_of_recorders(),
             b.recorders,
             format('since block %s, sealed %s', b.number, b.sealed_at)
        from audit.block b
       where b.chain = own
       order by b.number desc
       limit 1
    )
  )
  select s.chain, s.number, 'recorders', true,
         case
           when s.place <> s.place_before then
             format('the trail was moved to another server or database %s: by a restore, a copy or pg_upgrade', s.time)
           else format('sql/install.sql was run %s: version %s', s.time, s.installed)
         end
    from step s
   where s.recorders_before is not null
     and (s.place <> s.place_before or s.installed is not null)
  union all
  select s.chain, s.number, d.key, false,
         case
           when d.now is null then 'it was dropped ' || s.time
           when d.before is null then 'it was made ' || s.time
           else 'it was altered, replaced, or disabled and enabled again ' || s.time
         end
    from step s
   cross join lateral (
           select key, a.value as before, z.value as now
             from jsonb_each_text(s.recorders_before) a
             full join jsonb_each_text(s.recorders) z using (key)
         ) d
   where s.recorders_before is not null
     and s.place = s.place_before
     and s.installed is null
     and d.before is distinct from d.now
$function$;

-- One row a finding: false for what does not hold. The rows before the last say what a reader should know although
-- it holds; the last one sums up, and names the digest to keep outside.
create or replace function audit.verify(expected text default null)
  returns table (chain uuid, block bigint, subject text, ok boolean, detail text)
  stable
  security definer
  set search_path = pg_catalog, pg_temp
  set timezone = 'UTC'
  set datestyle = 'ISO'
  set extra_float_digits = 1
  set enable_nestloop = off
  language plpgsql
as $function$
#variable_conflict use_column
declare
  own   uuid := audit.own_chain();
  holds boolean := true;
begin
  for chain, block, subject, ok, detail in
    select * from audit.findings_in_blocks()
    union all
    select * from audit.findings_in_roots()
    union all
    select * from audit.findings_in_rows()
    union all
    select * from audit.findings_in_recorders(own)
    order by 1, 2, 3
  loop
    holds := holds and ok;
    return next;
  end loop;

  if expected is not null then
    select b.chain, b.number, 'digest', true,
           format('the digest that was kept outside is that of block %s, sealed %s', b.number, b.sealed_at)
      into chain, block, subject, ok, detail
      from audit.block b
     where encode(b.digest, 'hex') = lower(trim(expected));
    if not found then
      chain := own;
      block := null;
      subject := 'digest';
      ok := false;
      detail := 'no block has the digest that was kept outside: the chain was written again since, or the digest is '
                'another database''s';
    end if;
    holds := holds and ok;
    return next;
  end if;

  chain := own;
  block := null;
  subject := 'unsealed';
  ok := true;
  select format('%s rows are not sealed yet, the oldest of %s', count(*), min(s.moment))
    into detail
    from audit.sealable_row s
   where not exists (
           select
             from audit.sealed_row e
             join audit.block b on b.id = e.block_id
            where b.chain = own
              and e.row_id = s.row_id
              and e.kind = s.kind
         )
  having count(*) > 0;
  if found then
    return next;
  end if;

  select b.chain, b.number, 'trail', holds,
         format('%s blocks, the newest sealed %s with the digest %s', b.number, b.sealed_at, encode(b.digest, 'hex'))
    into chain, block, subject, ok, detail
    from audit.block b
   where b.chain = own
   order by b.number desc
   limit 1;
  if not found then
    chain := own;
    block := null;
    subject := 'trail';
    ok := false;
    detail := 'nothing is sealed: every block is gone, or audit.seal() was never called';
  end if;
  return next;
end
$function$;

-- Forgets what is older: whole blocks, whose newest row is. The blocks themselves stay, so the chain still verifies.
-- A run stays as long as a transaction belongs to it, and so does the last success of each target, from which the
-- next run takes its range; the next block seals them again. The guards let these deletes through and no others.
create or replace function audit.purge(older_than interval)
  returns bigint
  volatile
  set search_path = pg_catalog, pg_temp
  set timezone = 'UTC'
  set lock_timeout = '5s'
  -- Without fresh statistics one would join every row with every other.
  set enable_nestloop = off
  language plpgsql
as $function$
declare
  own     uuid;
  old     uuid[];
  wrong   text;
  removed bigint;
begin
  if older_than is null or older_than < interval '0' then
    raise exception 'How much history is kept is an interval such as 2 years, not %.',
      coalesce(older_than::text, 'null')
      using errcode = 'invalid_parameter_value';
  end if;
  -- This takes the lock of sealing until the transaction ends.
  select b.chain into own from audit.seal() b;
  old := array(
    select b.id
      from audit.block b
     where b.chain = own
       and b.newest < clock_timestamp() - older_than
       and not exists (select from audit.purged_block p where p.block_id = b.id)
  );
  select string_agg(format('block %s, %s: %s', v.block, v.subject, v.detail), '; ')
    into wrong
    from audit.verify() v
    join audit.block b on b.chain = v.chain and b.number = v.block
   where not v.ok
     and b.id = any (old);
  if wrong is not null then
    raise exception 'What would be purged does not verify, and purging would hide that: %.', wrong
      using errcode = 'object_not_in_prerequisite_state',
            hint = 'Nothing was purged. select * from audit.verify() tells more.';
  end if;
  delete from audit.ddl_audit d
   using audit.sealed_row s
   where s.block_id = any (old)
     and s.kind = 'transaction'
     and d.transaction_audit_id = s.row_id;
  delete from audit.transaction_audit t
   using audit.sealed_row s
   where s.block_id = any (old)
     and s.kind = 'transaction'
     and t.id = s.row_id;
  get diagnostics removed = row_count;
  delete from audit.migration_run r
   using audit.sealed_row s
   where s.block_id = any (old)
     and s.kind = 'run'
     and r.id = s.row_id
     and not exists (select from audit.transaction_audit t where t.run_id = r.id)
     and (
           r.status <> 'succeeded'
           or exists (
                select
                  from audit.migration_run later
                 where later.status = 'succeeded'
                   and later.repository is not distinct from r.repository
                   and later.environment is not distinct from r.environment
                   and later.finished_at > r.finished_at
              )
         );
  delete from audit.sealed_row s
   where s.block_id = any (old);
  insert into audit.purged_block (block_id)
  select gone from unnest(old) as gone;
  perform audit.seal();
  return removed;
end
$function$;

-- What the guards ask: whether the client itself called audit.purge, and that is deleting. The last line of the stack
-- is what the client called; of a statement's text it cannot be a part, which stands between quotation marks.
create or replace function audit.is_purging(stack text)
  returns boolean
  immutable
  language sql
as $function$
  select stack ~ E'\n[^\n"]*\\maudit[.]purge[(]interval[)][^\n"]*$'
$function$;

comment on table audit.block is
  'Blocks of digests, each bound to the one before it: audit.seal() writes them, audit.verify() checks them. Append-only.';
comment on column audit.block.oldest is 'The moment of the oldest row in it.';
comment on column audit.block.newest is 'The moment of the newest row in it: audit.purge() goes by it.';
comment on column audit.block.columns is 'The columns that were sealed, by table.';
comment on column audit.block.root is 'sha256 over the digests of its rows, ordered by kind and id.';
comment on column audit.block.recorders is
  'The event triggers, functions and guards as they were (audit.state_of_recorders()).';
comment on column audit.block.installed is
  'The version that sql/install.sql installed since the block before; null: none.';
comment on column audit.block.system_identifier is 'The server it was sealed on (pg_control_system()).';
comment on column audit.block.database_oid is 'The database it was sealed in (pg_database.oid).';
comment on view audit.sealable_row is
  'What audit.seal() seals: transactions with their events, ended runs, installations and purges.';
comment on function audit.sha256_of(text) is 'sha256 of a text as UTF-8, whatever the encoding of the database.';
comment on function audit.columns_to_seal() is 'The columns of the tables that are sealed, as they are now.';
comment on function audit.row_digests(jsonb, uuid[]) is
  'The digests of these rows (null: of all) over these columns, as they stand now.';
comment on function audit.block_digest(audit.block) is
  'The digest of a block: over all its columns but the digest itself.';
comment on function audit.state_of_recorders() is
  'The event triggers, functions and guards of the trail as they are now, each with the transaction that wrote it.';
comment on function audit.own_chain() is 'The chain that this database goes on with.';
comment on function audit.add_block(uuid, audit.block, uuid[], timestamptz[]) is
  'Binds one more block to the chain. Only audit.seal() calls it.';
comment on function audit.seal() is
  'Seals what is committed and not sealed yet, and returns the newest block: its digest, kept outside of the database, proves the trail up to now. DDL never waits for it.';
comment on function audit.verify(text) is
  'Checks every sealed row and the chain itself: one row a finding, false for what does not hold, and a last one that sums up. Given a digest that was kept outside, it says whether that is still in the chain.';
comment on function audit.findings_in_blocks() is 'What audit.verify() finds in the blocks themselves.';
comment on function audit.findings_in_roots() is 'What audit.verify() finds in the digests of the blocks.';
comment on function audit.findings_in_rows() is 'What audit.verify() finds in the rows that were sealed.';
comment on function audit.findings_in_recorders(uuid) is
  'What audit.verify() finds in the event triggers, functions and guards.';
comment on function audit.is_purging(text) is
  'Whether this stack is that of audit.purge, called by the client itself.';
-- Who may change what was written? Nobody: not the owner by mistake, not a replica session.

create or replace function audit.refuse_change()
  returns trigger
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  stack text;
begin
  if tg_op = 'DELETE' then
    get diagnostics stack = pg_context;
    if audit.is_purging(stack) then
      return old;
    end if;
  end if;
  raise exception 'The trail is append-only: % of audit.% is refused.', lower(tg_op), tg_table_name
    using errcode = 'insufficient_privilege',
          hint = 'To keep less history, use audit.purge(interval).';
end
$$;

create or replace function audit.refuse_change_of_a_finished_run()
  returns trigger
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  if old.status = 'open'
     and to_jsonb(old) - array['status', 'finished_at', 'exit_code', 'in_progress']
       = to_jsonb(new) - array['status', 'finished_at', 'exit_code', 'in_progress']
  then
    return new;
  end if;
  raise exception 'A migration run is written once and finished once; it is not changed.'
    using errcode = 'insufficient_privilege';
end
$$;

-- Only what is missing or was tampered with is made: making a trigger waits for every open transaction that changed
-- the schema, and everybody else waits behind it.
do $$
declare
  wanted record;
begin
  for wanted in
    select format('%I', t.name) as tab,
           g.trigger,
           format('CREATE TRIGGER %I BEFORE %s ON audit.%I FOR EACH %s', g.trigger, g.event, t.name, g.rest) as definition
      from unnest(array[
             'transaction_audit', 'ddl_audit', 'migration_run', 'installation', 'block', 'sealed_row', 'purged_block'
           ]) as t (name)
     cross join lateral (
             values
               (
                 'append_only',
                 case t.name when 'migration_run' then 'DELETE' else 'DELETE OR UPDATE' end,
                 'ROW EXECUTE FUNCTION audit.refuse_change()'
               ),
               ('append_only_truncate', 'TRUNCATE', 'STATEMENT EXECUTE FUNCTION audit.refuse_change()'),
               ('finished_once', 'UPDATE', 'ROW EXECUTE FUNCTION audit.refuse_change_of_a_finished_run()')
           ) as g (trigger, event, rest)
     where g.trigger <> 'finished_once'
        or t.name = 'migration_run'
  loop
    if not exists (
      select
        from pg_catalog.pg_trigger t
       where t.tgrelid = ('audit.' || wanted.tab)::regclass
         and t.tgname = wanted.trigger
         and t.tgenabled = 'A'
         and pg_catalog.pg_get_triggerdef(t.oid) = wanted.definition
    ) then
      execute format('drop trigger if exists %I on audit.%s', wanted.trigger, wanted.tab);
      execute wanted.definition;
      execute format('alter table audit.%s enable always trigger %I', wanted.tab, wanted.trigger);
    end if;
  end loop;
end
$$;
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
-- Who may do what with the trail? Everybody is recorded; three roles own, run and read it; nobody writes a row.

do $$
declare
  routine record;
begin
  for routine in
    select p.oid::regprocedure as signature
      from pg_catalog.pg_proc p
     where p.pronamespace = to_regnamespace('audit')
       -- The default of a column of a warehouse, for whichever login applies a subscription (sql/fan-in.sql).
       and p.proname <> 'subscription_name'
  loop
    execute format('revoke all on function %s from public', routine.signature);
  end loop;
  revoke all on schema audit from public;
  revoke all on all tables in schema audit from public;
  if to_regrole('audit_recorder') is not null then
    grant usage on schema audit to audit_recorder;
    grant execute on function audit.begin_run(jsonb), audit.finish_run(uuid, jsonb), audit.seal() to audit_recorder;
    grant execute on function audit.status(), audit.verify(text) to audit_recorder;
    grant select on audit.history, audit.migration_run, audit.transaction_audit, audit.ddl_audit, audit.installation,
      audit.block, audit.sealed_row, audit.purged_block
      to audit_recorder;
  end if;
  if to_regrole('audit_reader') is not null then
    grant usage on schema audit to audit_reader;
    grant execute on function audit.status(), audit.verify(text) to audit_reader;
    grant select on audit.history, audit.migration_run, audit.transaction_audit, audit.ddl_audit, audit.installation,
      audit.block, audit.sealed_row, audit.purged_block
      to audit_reader;
  end if;
end
$$;
-- What is everything? A sentence on every object, where psql's describe commands and other tools show it.

comment on table audit.installation is
  'Every installation of the trail into this database, with what it found.';
comment on column audit.installation.id is 'Key.';
comment on column audit.installation.version is 'Version of the scripts.';
comment on column audit.installation.installed_at is 'When.';
comment on column audit.installation.installed_by is 'Login that ran them.';
comment on column audit.installation.started_from is 'What was there before: bare, article, or the version of an earlier installation.';
comment on column audit.installation.chain is 'Key of this database''s chain of blocks (audit.block); the same for all installations here.';
comment on column audit.installation.fingerprint is 'Digest of the functions and event triggers as installed; audit.status() compares it.';

comment on table audit.migration_run is
  'One row a migration run: one execution of the action against this database. Written by audit.begin_run and audit.finish_run alone.';
comment on column audit.migration_run.id is 'Key, made by the server; the value of the setting audit.run_id.';
comment on column audit.migration_run.started_at is 'When it began.';
comment on column audit.migration_run.finished_at is 'When it ended; null while it is open.';
comment on column audit.migration_run.expires_at is 'From then on it collects no changes, though nobody ended it.';
comment on column audit.migration_run.status is 'open, succeeded, failed, cancelled, refused, or abandoned (it expired, and another run of the login began).';
comment on column audit.migration_run.exit_code is 'Exit code of the migration command.';
comment on column audit.migration_run.database_user is 'Login whose changes belong to the run.';
comment on column audit.migration_run.begun_by is 'Login that began it: the same, or a recorder that audit.recorder_permission allows.';
comment on column audit.migration_run.repository is 'GitHub''s owner/name.';
comment on column audit.migration_run.environment is 'Name of the target, such as production.';
comment on column audit.migration_run.workflow is 'Name of the workflow.';
comment on column audit.migration_run.job is 'Name of the job in the workflow.';
comment on column audit.migration_run.run_id is 'GitHub''s number of the workflow run.';
comment on column audit.migration_run.run_attempt is 'Which attempt of it.';
comment on column audit.migration_run.run_url is 'Page of that attempt.';
comment on column audit.migration_run.event is 'GitHub''s event that started it, such as push.';
comment on column audit.migration_run.ref is 'Branch or tag.';
comment on column audit.migration_run.base_sha is 'Commit that this database had before.';
comment on column audit.migration_run.head_sha is 'Commit that is deployed.';
comment on column audit.migration_run.range_source is 'How the base was found.';
comment on column audit.migration_run.actor is 'Account that started the workflow run.';
comment on column audit.migration_run.triggering_actor is 'Account that started this attempt.';
comment on column audit.migration_run.commits is 'Commits of the change set.';
comment on column audit.migration_run.pull_requests is 'Pull requests that brought them.';
comment on column audit.migration_run.authors is 'Authors and co-authors.';
comment on column audit.migration_run.mergers is 'Who merged.';
comment on column audit.migration_run.reviewers is 'Who reviewed, with what outcome.';
comment on column audit.migration_run.approvers is 'Who let the job into its environment.';
comment on column audit.migration_run.unavailable is 'What could not be found out, and why.';

comment on table audit.recorder_permission is
  'Which logins may begin migration runs for which others. Written by the owner of the trail.';
comment on column audit.recorder_permission.id is 'Key.';
comment on column audit.recorder_permission.recorder is 'Login that calls audit.begin_run.';
comment on column audit.recorder_permission.database_user is 'Login that runs the migration.';

comment on table audit.transaction_audit is
  'One row a transaction that changed the schema.';
comment on column audit.transaction_audit.id is 'Key.';
comment on column audit.transaction_audit.transaction_id is 'PostgreSQL''s number of the transaction; it starts again after a restore, so it is no key.';
comment on column audit.transaction_audit.event_time is 'Start of the transaction.';
comment on column audit.transaction_audit.database_user is 'session_user: the login, or whom SET SESSION AUTHORIZATION named.';
comment on column audit.transaction_audit.application_user_name is 'Setting audit.user_name of the session: a claim.';
comment on column audit.transaction_audit.application_user_email is 'Setting audit.user_email of the session: a claim.';
comment on column audit.transaction_audit.client_address is 'Address of the client; null over a Unix socket.';
comment on column audit.transaction_audit.login_user is 'Role that proved to be itself when the session began.';
comment on column audit.transaction_audit.role is 'Role of SET ROLE, or null.';
comment on column audit.transaction_audit.application_name is 'The session''s application_name.';
comment on column audit.transaction_audit.pid is 'Process that served the session.';
comment on column audit.transaction_audit.delivery is 'How the transaction found its run: session, application_name, open_run, or none.';
comment on column audit.transaction_audit.ambiguous is 'True when it found none because several runs of the login were open.';
comment on column audit.transaction_audit.run_id is 'Run it belongs to: audit.migration_run.id.';
comment on column audit.transaction_audit.claimed_run_id is 'Run that the session named, found or not.';
comment on column audit.transaction_audit.claims is 'Other settings of the session: commit, authors, merger, reviewers, pull requests, run page.';

comment on table audit.ddl_audit is
  'One row an object that a command touched. The text of a client message stands on its first row alone; audit.history shows it on each.';
comment on column audit.ddl_audit.transaction_audit_id is 'Transaction: audit.transaction_audit.id.';
comment on column audit.ddl_audit.position is 'Number of the event in its transaction, from 1.';
comment on column audit.ddl_audit.transaction_id is 'PostgreSQL''s number of the transaction.';
comment on column audit.ddl_audit.message is 'Position of the first event of the same client message.';
comment on column audit.ddl_audit.message_time is 'When the message arrived (statement_timestamp).';
comment on column audit.ddl_audit.event_time is 'When the command ended (clock_timestamp).';
comment on column audit.ddl_audit.event is 'command, drop, or rewrite (of a table).';
comment on column audit.ddl_audit.command_tag is 'Command, such as ALTER TABLE.';
comment on column audit.ddl_audit.object_type is 'Kind of object, in PostgreSQL''s words.';
comment on column audit.ddl_audit.schema_name is 'Its schema.';
comment on column audit.ddl_audit.object_identity is 'Its identity, qualified and quoted.';
comment on column audit.ddl_audit.previous_identity is 'Its identity before a rename or a move.';
comment on column audit.ddl_audit.original is 'Of a drop: named by the command (true) or taken along (false).';
comment on column audit.ddl_audit.rewrite_reason is 'Of a rewrite: bitmap of 1 persistence, 2 default, 4 type, 8 access method.';
comment on column audit.ddl_audit.statement_text is 'Statement inside a function or DO block that did it.';
comment on column audit.ddl_audit.query_text is 'The client''s message, secrets masked; null on rows that are not its first.';
comment on column audit.ddl_audit.redacted is 'Whether something was masked in the row''s texts.';

comment on table audit.pending_grant is
  'GRANTs of messages that have not ended yet. Empty outside of transactions.';
comment on column audit.pending_grant.transaction_id is 'PostgreSQL''s number of the transaction.';
comment on column audit.pending_grant.message_time is 'When the message arrived.';
comment on column audit.pending_grant.number is 'Place among the message''s GRANTs.';
comment on column audit.pending_grant.statement_text is 'One of them.';

comment on function audit.object_name(oid, oid, int) is
  'Name of an object, qualified and quoted, as the caller''s snapshot sees the catalog.';
comment on function audit.object_name_now(oid, oid, int) is
  'Name of an object, qualified and quoted, as the catalog stands now.';
comment on function audit.previous_identity(oid, oid, int, text) is
  'Identity of an object before the command that is ending, or null when it kept its own.';
comment on function audit.unquoted(text) is
  'A name as it is stored, from how it is written.';
comment on function audit.granted_objects(text) is
  'What a GRANT, REVOKE or ALTER DEFAULT PRIVILEGES names, one row an object or class of objects.';
comment on function audit.granted_relation(text) is
  'Qualified name of a relation that a GRANT named without its schema.';
comment on function audit.grant_statement() is
  'Statement of the GRANT that is ending, out of the client''s message.';
comment on function audit.decoded(text) is
  'What a client delivered in whatever encoding, as valid text.';
comment on function audit.login_oid() is
  'Role that proved to be itself when the session began.';
comment on function audit.login_user() is
  'Its name; SET SESSION AUTHORIZATION does not change it.';
comment on function audit.transaction_key(text) is
  'Key of this session''s transaction that belongs to a word.';
comment on function audit.server_start() is
  'When the server started, in seconds since 1970.';
comment on function audit.new_transaction_key() is
  'Key of this session''s transaction that belongs to a new word, which the transaction remembers.';
comment on function audit.standing_tid() is
  'Where a serializable transaction was told that its last event is.';
comment on function audit.find_run(text) is
  'Migration run that this session belongs to, how it was found, and what the session claims.';
comment on type audit.found_run is
  'What a session says of itself, and the migration run that was found for it.';
comment on column audit.found_run.run_id is 'The migration run.';
comment on column audit.found_run.delivery is 'How it was found: session, application_name, open_run or none.';
comment on column audit.found_run.ambiguous is 'Whether several runs were open and none could be told to be its own.';
comment on column audit.found_run.claimed_run_id is 'The run that the session says it belongs to.';
comment on column audit.found_run.claims is 'What else it says: commit, authors, merger, reviewers, pull_requests, run_url.';
comment on column audit.found_run.user_name is 'Person that it names.';
comment on column audit.found_run.user_email is 'Address that it names.';
comment on function audit.may_hold_secret(text) is
  'Whether a text has to be looked at by audit.redact.';
comment on function audit.inner_statement(text) is
  'Statement that a function or DO block ran, out of a PL/pgSQL stack.';
comment on function audit.previous_names(text) is
  'Old names of what the command that is ending renamed or moved, by classid, objid and objsubid.';
comment on type audit.touched_object is
  'An object that a command touched.';
comment on column audit.touched_object.command_tag is 'Command, such as ALTER TABLE.';
comment on column audit.touched_object.object_type is 'Kind of object, in PostgreSQL''s words.';
comment on column audit.touched_object.schema_name is 'Its schema.';
comment on column audit.touched_object.object_identity is 'Its identity, qualified and quoted.';
comment on column audit.touched_object.previous_identity is 'Its identity before a rename or a move.';
comment on column audit.touched_object.original is 'Of a drop: named by the command (true) or taken along (false).';
comment on column audit.touched_object.rewrite_reason is 'Of a rewrite: the bitmap of its reasons.';
comment on function audit.made_objects(jsonb, text) is
  'What the command that is ending made or altered, with old names, or with the objects of a GRANT.';
comment on function audit.dropped_objects(text) is
  'What the command that is running dropped, without parts of what is listed.';
comment on function audit.log_schema_changes() is
  'Event trigger function: records what a command made, altered, dropped or rewrote.';

comment on index audit.transaction_audit_newest is
  'The newest transactions.';
comment on index audit.migration_run_open is
  'The open runs of a login.';
comment on index audit.migration_run_newest is
  'The newest runs.';

-- The columns of the view say what those of the tables say.
do $$
declare
  col record;
begin
  for col in
    select a.attname, coalesce(h.text, max(d.description)) as text
      from pg_catalog.pg_attribute a
      left join (values
             ('transaction_start', 'Start of the transaction.'),
             ('query_text', 'The client''s message, secrets masked, on every row of it.'),
             ('redacted', 'Whether something was masked in this row''s texts.'),
             ('run_status', 'Status of the run.'),
             ('run_event', 'GitHub''s event that started the run.')
           ) h (name, text) on h.name = a.attname
      left join pg_catalog.pg_attribute o
        on o.attname = a.attname
       and o.attrelid in ('audit.ddl_audit'::regclass, 'audit.transaction_audit'::regclass, 'audit.migration_run'::regclass)
       and (o.attname <> 'run_id' or o.attrelid = 'audit.transaction_audit'::regclass)
       and (o.attname not in ('event', 'event_time', 'transaction_id') or o.attrelid = 'audit.ddl_audit'::regclass)
      left join pg_catalog.pg_description d
        on d.objoid = o.attrelid and d.objsubid = o.attnum and d.classoid = 'pg_class'::regclass
     where a.attrelid = 'audit.history'::regclass
       and a.attnum > 0
     group by a.attname, h.text
  loop
    execute format('comment on column audit.history.%I is %L', col.attname, col.text);
  end loop;
end
$$;
-- What wakes the trail? Three event triggers, which fire in replica sessions too. The last thing to be installed.

reset role;

do $$
declare
  wanted record;
begin
  for wanted in
    values
      ('track_schema_changes', 'ddl_command_end', 'Records what a DDL command made or altered.'),
      ('track_schema_drops', 'sql_drop', 'Records what a command dropped.'),
      ('track_table_rewrites', 'table_rewrite', 'Records that a command rewrote a table.')
  loop
    begin
      execute format(
        'create event trigger %I on %s execute function audit.log_schema_changes()', wanted.column1, wanted.column2
      );
      execute format('comment on event trigger %I is %L', wanted.column1, wanted.column3);
    exception
      when insufficient_privilege then
        raise warning 'The role % may not create event triggers here: nothing is recorded until they exist.', current_user
          using hint = 'PostgreSQL itself asks for a superuser; a provider names a role for it (Neon: a member of '
                       'neon_superuser, RDS: the master user, Cloud SQL: cloudsqlsuperuser, Supabase: postgres). '
                       'Run sql/install.sql again as that role.';
        exit;
    end;
    begin
      execute format('alter event trigger %I enable always', wanted.column1);
    exception
      when insufficient_privilege then
        raise warning 'The event trigger % could not be enabled always: a replica session escapes it.', wanted.column1;
    end;
  end loop;
end
$$;

-- What was installed, and a fingerprint of what must not change until the next installation.
insert into audit.installation (version, started_from, chain, fingerprint)
select '0.2.0',
       current_setting('audit.started_from'),
       coalesce((select i.chain from audit.installation i order by i.installed_at limit 1), gen_random_uuid()),
       audit.fingerprint();

-- What records from now on is in a block, before anybody can change it.
do $$
begin
  perform audit.seal();
end
$$;
commit;
