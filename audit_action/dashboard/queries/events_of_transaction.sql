-- The events of one transaction from a position on. %(transaction)s uuid, %(position)s, %(limit)s
select
  {event_columns},
  h.transaction_start,
  true as wanted
from audit.history h
where h.transaction_audit_id = %(transaction)s
  and h.position >= %(position)s
order by h.position
limit %(limit)s;
