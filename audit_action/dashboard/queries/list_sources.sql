-- The databases whose rows a warehouse holds.
select distinct {run_source} as name
from audit.migration_run r
where {run_source} is not null
order by 1
limit 500;
