-- The newest transactions in which an object had a part, under each of its names for as long as it had it.
-- %(names)s text[], %(begins)s and %(ends)s timestamptz[]: null where open; %(indexes)s text[]
-- First found and then put in order: looked for from the newest on, a rare object is not found before all is read.
with touched as materialized (
  select distinct
    h.transaction_audit_id as id,
    h.transaction_start as time
  from audit.history h
  where (
      h.object_identity = any (%(indexes)s)
      or (
        (
          h.object_identity = any (%(names)s)
          or h.previous_identity = any (%(names)s)
          or ({owned} and {owner} = any (%(names)s))
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
    and (%(source)s::text is null or {source} = %(source)s)
)
select
  t.id,
  t.time
from touched t
where %(before_time)s::timestamptz is null
  or (t.time, t.id) < (%(before_time)s, %(before_id)s::uuid)
order by
  t.time desc,
  t.id desc
limit %(limit)s;
