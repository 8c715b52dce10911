-- The runs that have not ended, oldest first.
select r.id
from audit.migration_run r
where r.status = 'open'
order by r.started_at
limit 50;
