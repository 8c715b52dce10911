-- Every wanted event, newest first, as audit.history has it.
select
  {source} as source_database,
  h.transaction_start,
  h.event_time,
  h.transaction_audit_id,
  h.transaction_id,
  h.position,
  h.event,
  h.command_tag,
  h.object_type,
  h.schema_name,
  h.object_identity,
  h.previous_identity,
  coalesce(h.statement_text, h.query_text) as sql,
  h.database_user,
  h.application_name,
  host(h.client_address) as client_address,
  h.application_user_name,
  h.application_user_email,
  h.delivery,
  h.run_id,
  h.run_status,
  h.repository,
  h.environment,
  h.head_sha,
  h.run_url,
  h.actor,
  coalesce((select jsonb_agg(p -> 'number') from jsonb_array_elements(h.pull_requests) p), '[]') as pull_requests,
  coalesce(h.authors, '[]') as authors,
  coalesce(h.mergers, '[]') as mergers,
  coalesce(h.reviewers, '[]') as reviewers,
  coalesce(h.approvers, '[]') as approvers
from audit.history h
where {matching}
  and {behind}
order by
  h.transaction_start desc,
  h.transaction_audit_id desc,
  h.position;
