-- The newest successful run of a repository for an environment: what this database has seen.
-- %(repository)s text, %(environment)s text
select
  id,
  head_sha,
  finished_at
from audit.migration_run
where status = 'succeeded'
  and repository = %(repository)s
  and environment = %(environment)s
order by finished_at desc
limit 1;
