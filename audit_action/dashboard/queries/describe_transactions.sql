-- Who sent some transactions, and how. %(transactions)s uuid[]
select
  h.transaction_audit_id as id,
  h.transaction_id,
  h.transaction_start as time,
  h.database_user,
  h.login_user,
  h.role,
  h.application_user_name,
  h.application_user_email,
  h.application_name,
  host(h.client_address) as client_address,
  h.pid,
  h.delivery,
  h.ambiguous,
  h.claimed_run_id,
  h.run_id,
  h.head_sha,
  {source} as source,
  c.events
from audit.history h
cross join lateral (
  select count(*) as events
  from (
    select
    from audit.history e
    where e.transaction_audit_id = h.transaction_audit_id
    limit %(cap)s
  ) counted
) c
where h.transaction_audit_id = any (%(transactions)s::uuid[])
  and h.position = 1;
