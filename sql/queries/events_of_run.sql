-- The events of one migration run, in the order in which they happened.
-- %(run_id)s uuid
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
where run_id = %(run_id)s
order by
  transaction_start,
  transaction_audit_id,
  position;
