-- Migration runs with the people behind them, and how much they changed: counted up to %(cap)s events.
-- %(runs)s uuid[]
select
  r.id,
  r.started_at,
  r.finished_at,
  r.expires_at,
  r.status,
  r.exit_code,
  r.database_user,
  r.begun_by,
  r.repository,
  r.environment,
  r.workflow,
  r.job,
  r.run_id as workflow_run,
  r.run_attempt,
  r.run_url,
  r.event,
  r.ref,
  r.base_sha,
  r.head_sha,
  r.range_source,
  r.actor,
  r.triggering_actor,
  jsonb_array_length(r.commits) as commits,
  (select coalesce(jsonb_agg(p - 'commits'), '[]') from jsonb_array_elements(r.pull_requests) p) as pull_requests,
  r.authors,
  r.mergers,
  r.reviewers,
  r.approvers,
  r.unavailable,
  {run_source} as source,
  s.transactions,
  s.events
from audit.migration_run r
cross join lateral (
  select
    count(distinct c.transaction_audit_id) as transactions,
    count(*) as events
  from (
    select h.transaction_audit_id
    from audit.history h
    where h.run_id = r.id
    limit %(cap)s
  ) c
) s
where r.id = any (%(runs)s::uuid[]);
