-- The wanted events of some runs and transactions, and with them all events of the same messages: which statement
-- made which event can be told from the whole message alone.
-- %(runs)s uuid[], %(transactions)s uuid[], %(per_entry)s, %(per_message)s
with wanted as (
  select
    run_id,
    null::uuid as transaction_audit_id
  from unnest(%(runs)s::uuid[]) as run_id
  union all
  select
    null,
    transaction_audit_id
  from unnest(%(transactions)s::uuid[]) as transaction_audit_id
),
found as materialized (
  select
    f.transaction_audit_id,
    f.message,
    f.position
  from wanted w
  cross join lateral (
    (
      select
        h.transaction_audit_id,
        h.message,
        h.position
      from audit.history h
      where h.run_id = w.run_id
        and {matching}
      order by
        h.transaction_start,
        h.transaction_audit_id,
        h.position
      limit %(per_entry)s
    )
    union all
    (
      -- What lost data is told, wherever in a long run it stands.
      select
        h.transaction_audit_id,
        h.message,
        h.position
      from audit.history h
      where h.run_id = w.run_id
        and h.event = 'drop'
        and {loses_data}
        and {matching}
      limit 6
    )
    union all
    (
      select
        h.transaction_audit_id,
        h.message,
        h.position
      from audit.history h
      where h.transaction_audit_id = w.transaction_audit_id
        and {matching}
      order by h.position
      limit %(per_entry)s
    )
  ) f
)
select
  e.*,
  exists (
    select
    from found f
    where f.transaction_audit_id = e.transaction_audit_id
      and f.position = e.position
  ) as wanted
from (select distinct transaction_audit_id, message from found) m
cross join lateral (
  select
    {event_columns},
    h.transaction_start
  from audit.history h
  where h.transaction_audit_id = m.transaction_audit_id
    and h.message = m.message
  order by h.position
  limit %(per_message)s
) e
order by
  e.transaction_start,
  e.transaction_audit_id,
  e.position;
