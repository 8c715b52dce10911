-- What the sessions of one run's login claimed while it was open, counted: its own sessions and all others.
-- %(run_id)s uuid
select
  t.run_id is not distinct from own.id as belongs,
  t.run_id is not null as belongs_to_some,
  t.delivery,
  t.ambiguous,
  coalesce(t.claimed_run_id, '') as claimed_run_id,
  -- In another encoding the server may not be able to hold what was delivered.
  case when current_setting('server_encoding') = 'UTF8' then coalesce(t.application_user_name, '') else '' end
    as user_name,
  coalesce(t.application_user_email, '') as user_email,
  coalesce(t.claims ->> 'commit', '') as commit,
  count(*) as events
from audit.migration_run own
join audit.transaction_audit t
  on t.login_user = own.database_user
 and (
   t.run_id = own.id
   or t.event_time between own.started_at and coalesce(own.finished_at, 'infinity')
 )
join audit.ddl_audit d on d.transaction_audit_id = t.id
where own.id = %(run_id)s
group by 1, 2, 3, 4, 5, 6, 7, 8
order by min(t.event_time);
