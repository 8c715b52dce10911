-- The newest transactions in which an object had a part, under each of its names for as long as it had it.
-- %(names)s text[], %(begins)s and %(ends)s timestamptz[]: null where open; %(indexes)s text[]
select
  h.transaction_audit_id as id,
  h.transaction_start as time
from audit.history h
where (
    h.object_identity = any (%(indexes)s)
    or (
      (
        h.object_identity = any (%(names)s)
        or h.previous_identity = any (%(names)s)
        or {owner} = any (%(names)s)
      )
      and exists (
        select
        from unnest(%(names)s::text[], %(begins)s::timestamptz[], %(ends)s::timestamptz[]) s (name, begins, ends)
        where s.name in (h.object_identity, h.previous_identity, {owner})
          and (s.begins is null or h.event_time >= s.begins)
          and (s.ends is null or h.event_time <= s.ends)
      )
    )
  )
  and (
    %(before_time)s::timestamptz is null
    or (h.transaction_start, h.transaction_audit_id) < (%(before_time)s, %(before_id)s::uuid)
  )
  and (%(source)s::text is null or {source} = %(source)s)
group by
  h.transaction_start,
  h.transaction_audit_id
order by
  h.transaction_start desc,
  h.transaction_audit_id desc
limit %(limit)s;
