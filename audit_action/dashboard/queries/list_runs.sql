-- The newest migration runs that are wanted, before a position. The events of each are looked at one run after the
-- other (offset 0 keeps the planner from reading them all), so it ends when the page is full.
select
  r.id as run_id,
  null::uuid as transaction_audit_id,
  r.started_at as time,
  0::bigint as events
from audit.migration_run r
where not %(manual)s
  and (%(before_time)s::timestamptz is null or (r.started_at, r.id) < (%(before_time)s, %(before_id)s::uuid))
  and (
    -- Only the newest ones, so many.
    %(among)s::int is null
    or r.started_at >= (
      select min(n.started_at)
      from (
        select newest.started_at
        from audit.migration_run newest
        where %(before_time)s::timestamptz is null
          or newest.started_at <= %(before_time)s
        order by newest.started_at desc
        limit %(among)s
      ) n
    )
  )
  and (%(environment)s::text is null or r.environment = %(environment)s)
  and (%(since)s::timestamptz is null or r.started_at >= %(since)s)
  and (%(until)s::timestamptz is null or r.started_at < %(until)s)
  and (%(source)s::text is null or {run_source} = %(source)s)
  and (
    %(person)s::text is null
    or r.actor = %(person)s
    or r.triggering_actor = %(person)s
    or (r.authors || r.mergers || r.reviewers || r.approvers) @> any ({person})
  )
  and (
    -- Asked once, in the order of an index: where no run is of that login, none has to be looked at.
    %(database_user)s::text is null
    or (
      select h.run_id
      from audit.history h
      where h.database_user = %(database_user)s
        and h.run_id is not null
      order by h.run_id
      limit 1
    ) is not null
  )
  and (
    not %(by_event)s
    or exists (select from audit.history h where h.run_id = r.id and {matching} offset 0)
  )
order by
  -- The runs of a person are few: found by their own index and then sorted, not looked for from the newest on.
  case when %(person)s::text is null then r.started_at else r.started_at + interval '0' end desc,
  r.id desc
limit %(limit)s;
