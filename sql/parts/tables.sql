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
