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
