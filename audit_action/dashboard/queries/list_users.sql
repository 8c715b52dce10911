-- The logins of the newest runs and transactions: what the filter offers.
select distinct name
from (
  (select r.database_user as name from audit.migration_run r order by r.started_at desc limit 500)
  union all
  (select h.database_user from audit.history h where h.position = 1 order by h.transaction_start desc limit 500)
) newest
order by 1
limit 50;
