-- Which entries have wanted events, when they are few? From %(cap)s events on there may be more: then only their number.
-- Each branch can take an index of its own: the text of a message, of an inner statement, a drop. TRUNCATE leaves
-- no event; it is found by its word, where words are indexed.
with hits as (
  (
    select
      h.transaction_audit_id,
      h.position,
      h.run_id,
      h.transaction_start
    from audit.history h
    where (%(longest)s::text is null or h.query_text ilike %(longest)s)
      and (not %(destructive)s or {loses_data})
      and {matching}
      and {behind}
    limit %(cap)s
  )
  union
  (
    select
      h.transaction_audit_id,
      h.position,
      h.run_id,
      h.transaction_start
    from audit.history h
    where %(longest)s::text is not null
      and h.statement_text ilike %(longest)s
      and {matching}
      and {behind}
    limit %(cap)s
  )
  union
  (
    select
      h.transaction_audit_id,
      h.position,
      h.run_id,
      h.transaction_start
    from audit.history h
    where %(destructive)s
      and %(words_indexed)s
      and h.query_text ilike '%%truncate%%'
      and {matching}
      and {behind}
    limit %(cap)s
  )
)
select
  hits.run_id,
  case when hits.run_id is null then hits.transaction_audit_id end as transaction_audit_id,
  coalesce(
    (select r.started_at from audit.migration_run r where r.id = hits.run_id),
    min(hits.transaction_start)
  ) as time,
  count(*) as events
from hits
where (select count(*) from hits) < %(cap)s
group by
  hits.run_id,
  case when hits.run_id is null then hits.transaction_audit_id end
union all
select
  null,
  null,
  now(),
  count(*)
from hits
having count(*) >= %(cap)s;
