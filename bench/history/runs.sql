-- 40,000 migration runs: who, when, from which commit. %(runs)s, %(start)s, %(step)s
insert into audit.migration_run (
  id, started_at, finished_at, expires_at, status, exit_code, database_user, begun_by, repository, environment,
  workflow, job, run_id, run_attempt, run_url, event, ref, base_sha, head_sha, range_source, actor,
  triggering_actor, commits, pull_requests, authors, mergers, reviewers
)
select
  md5('run' || n)::uuid,
  start + n * step,
  start + n * step + interval '20 seconds',
  start + n * step + interval '6 hours',
  case when n %% 50 = 0 then 'failed' else 'succeeded' end,
  case when n %% 50 = 0 then 3 else 0 end,
  'ci_user',
  'ci_user',
  'brickyard/storefront',
  (array['production', 'staging', 'preview'])[1 + n %% 3],
  'Migrate',
  'migrate',
  7000000 + n,
  1,
  'https://github.com/brickyard/storefront/actions/runs/' || 7000000 + n || '/attempts/1',
  'push',
  'refs/heads/main',
  lpad(to_hex(n - 1), 40, 'a'),
  lpad(to_hex(n), 40, 'a'),
  'last run on this database',
  'person' || n %% 200,
  'person' || n %% 200,
  jsonb_build_array(jsonb_build_object('sha', lpad(to_hex(n), 40, 'a'), 'headline', 'Change ' || n)),
  jsonb_build_array(jsonb_build_object(
    'number', n,
    'title', 'Change number ' || n,
    'url', 'https://github.com/brickyard/storefront/pull/' || n
  )),
  jsonb_build_array(
    jsonb_build_object('person', people.a, 'roles', jsonb_build_array('author'), 'commits', 1),
    jsonb_build_object('person', people.b, 'roles', jsonb_build_array('co-author'), 'commits', 1)
  ),
  jsonb_build_array(jsonb_build_object('person', people.b, 'pull_request', n)),
  jsonb_build_array(jsonb_build_object('person', people.c, 'pull_request', n, 'state', 'APPROVED'))
from generate_series(1, %(runs)s) n
cross join lateral (
  select
    jsonb_build_object('login', 'person' || n %% 200, 'name', 'Person ' || n %% 200, 'kind', 'user') as a,
    jsonb_build_object('login', 'person' || n * 7 %% 200, 'name', 'Person ' || n * 7 %% 200, 'kind', 'user') as b,
    jsonb_build_object(
      'login', case when n = 77 then 'rarely' else 'person' || n * 13 %% 200 end, 'kind', 'user'
    ) as c
) people
cross join (select %(start)s::timestamptz as start, %(step)s::interval as step) clock
