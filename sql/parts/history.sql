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
