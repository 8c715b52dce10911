-- The events that belong to no migration run and that no report has shown, in the order in which they happened.
-- %(until)s uuid of the run that has just ended; %(since)s uuid of the last successful one, or null: from the beginning
-- A transaction that was in progress when a run ended is shown by the run that ends after it.
select
  transaction_audit_id,
  transaction_id,
  position,
  message,
  event_time,
  event,
  command_tag,
  object_type,
  schema_name,
  object_identity,
  previous_identity,
  original,
  rewrite_reason,
  statement_text,
  query_text,
  redacted,
  database_user,
  application_name,
  host(client_address) as client_address,
  delivery,
  run_id
from audit.history h
where run_id is null
  and exists (
    select
    from audit.migration_run this
    where this.id = %(until)s
      and h.event_time <= this.finished_at
      and h.transaction_id <> all (this.in_progress)
  )
  and not exists (
    select
    from audit.migration_run last
    where last.id = %(since)s
      and h.event_time <= last.finished_at
      and h.transaction_id <> all (last.in_progress)
  )
order by
  transaction_start,
  transaction_audit_id,
  position;
