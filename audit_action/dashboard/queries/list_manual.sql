-- The newest transactions outside any run that are wanted, before a position, and none older than %(not_before)s:
-- where the page is full of newer runs there is no need to look for them.
select
  null::uuid as run_id,
  first.transaction_audit_id,
  first.transaction_start as time,
  0::bigint as events
from audit.history first
where first.run_id is null
  and first.position = 1
  and %(environment)s::text is null
  and (
    %(before_time)s::timestamptz is null
    or (
      first.transaction_start <= %(before_time)s
      and (first.transaction_start, first.transaction_audit_id) < (%(before_time)s, %(before_id)s::uuid)
    )
  )
  and (%(not_before)s::timestamptz is null or first.transaction_start >= %(not_before)s)
  and (%(since)s::timestamptz is null or first.transaction_start >= %(since)s)
  and (%(until)s::timestamptz is null or first.transaction_start < %(until)s)
  and (%(source)s::text is null or {first_source} = %(source)s)
  and (
    %(person)s::text is null
    or first.application_user_name = %(person)s
    or first.application_user_email = any (%(emails)s)
  )
  and (
    not %(by_event)s
    or exists (
      select
      from audit.history h
      where h.transaction_audit_id = first.transaction_audit_id
        and {matching}
      offset 0
    )
  )
order by
  first.transaction_start desc,
  first.transaction_audit_id desc
limit %(limit)s;
