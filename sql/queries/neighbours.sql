-- The other runs of one run's login that matter to it: still open, or abandoned and closed when it began.
-- %(run_id)s uuid
select
  r.id as run_id,
  r.status,
  r.started_at,
  r.expires_at,
  coalesce(r.run_url, '') as run_url
from audit.migration_run r
join audit.migration_run own on own.id = %(run_id)s
where r.database_user = own.database_user
  and r.id <> own.id
  and (
    (r.status = 'open' and r.expires_at > clock_timestamp())
    or (r.status = 'abandoned' and r.finished_at > own.started_at - interval '10 seconds')
  )
order by r.started_at;
