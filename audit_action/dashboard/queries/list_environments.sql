-- The environments of the newest runs: what the filter offers.
select distinct environment as name
from (
  select r.environment
  from audit.migration_run r
  order by r.started_at desc
  limit 1000
) newest
where environment <> ''
order by 1
limit 50;
