-- The events that belong to no migration run, since a moment and up to another, in the order in which they happened.
-- %(since)s timestamptz or null: from the beginning; %(until)s timestamptz
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
from audit.history
where run_id is null
  and event_time <= %(until)s
  and (%(since)s::timestamptz is null or event_time > %(since)s)
order by
  transaction_start,
  transaction_audit_id,
  position;
