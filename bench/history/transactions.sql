-- Five transactions a run; one in twenty outside any run. Their keys begin with the time, as audit.transaction_key's do.
insert into audit.transaction_audit (
  id, transaction_id, event_time, database_user, client_address, login_user, application_name, pid, delivery, run_id
)
select
  (encode(timestamptz_send(moment), 'hex') || left(md5('transaction' || n), 16))::uuid,
  1000 + n,
  moment,
  case when n %% 20 = 7 then 'alice' else 'ci_user' end,
  '10.0.0.7',
  case when n %% 20 = 7 then 'alice' else 'ci_user' end,
  case when n %% 20 = 7 then 'psql' else 'schema-audit/' || md5('run' || n / 5 + 1) end,
  4000 + n %% 100,
  case when n %% 20 = 7 then 'none' when n %% 50 = 3 then 'open_run' else 'session' end,
  case when n %% 20 = 7 then null else md5('run' || n / 5 + 1)::uuid end
from generate_series(1, %(transactions)s) n
cross join lateral (
  select %(start)s::timestamptz + (n / 5 + 1) * %(step)s::interval + n %% 5 * interval '1 second' as moment
) began
