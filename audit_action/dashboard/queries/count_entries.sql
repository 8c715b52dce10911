-- How many runs and transactions outside any run are wanted, up to %(cap)s of each.
select
  (
    select count(*)
    from (
      select
      from audit.migration_run r
      where not %(manual)s
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
      limit %(cap)s
    ) runs
  ) as runs,
  (
    select count(*)
    from (
      select
      from audit.history first
      where first.run_id is null
        and first.position = 1
        and %(environment)s::text is null
        and (%(since)s::timestamptz is null or first.transaction_start >= %(since)s)
        and (%(until)s::timestamptz is null or first.transaction_start < %(until)s)
        and (%(source)s::text is null or {first_source} = %(source)s)
        and (
          %(person)s::text is null
          or first.application_user_name = %(person)s
          or first.application_user_email = any (%(emails)s)
        )
      limit %(cap)s
    ) manual
  ) as manual;
