-- The transactions of a run after a position, in their order. %(run)s uuid
select
  h.transaction_audit_id as id,
  h.transaction_start as time
from audit.history h
where h.run_id = %(run)s
  and h.position = 1
  and (
    %(after_time)s::timestamptz is null
    or (h.transaction_start, h.transaction_audit_id) > (%(after_time)s, %(after_id)s::uuid)
  )
order by
  h.transaction_start,
  h.transaction_audit_id
limit %(limit)s;
