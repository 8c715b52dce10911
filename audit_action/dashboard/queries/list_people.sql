-- The people of the newest runs: what a search for a person offers.
select distinct coalesce(p -> 'person' ->> 'login', p -> 'person' ->> 'email', p -> 'person' ->> 'name') as name
from (
  select
    r.authors,
    r.mergers,
    r.reviewers,
    r.approvers
  from audit.migration_run r
  order by r.started_at desc
  limit 200
) newest
cross join lateral jsonb_array_elements(newest.authors || newest.mergers || newest.reviewers || newest.approvers) p
order by 1
limit 200;
