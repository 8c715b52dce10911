-- How many transactions changed the schema on each of the last days (UTC), in runs and outside them?
select
  (h.transaction_start at time zone 'UTC')::date as day,
  count(*) filter (where h.run_id is not null) as in_runs,
  count(*) filter (where h.run_id is null) as manual
from audit.history h
where h.position = 1
  and h.transaction_start >= %(since)s
  and h.transaction_start < %(until)s
group by 1
order by 1;
