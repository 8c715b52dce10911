-- The e-mail addresses that the newest runs of a person know them by. %(person)s
select distinct p #>> '{person,email}' as name
from (
  select
    r.authors,
    r.mergers,
    r.reviewers,
    r.approvers
  from audit.migration_run r
  where (r.authors || r.mergers || r.reviewers || r.approvers) @> any ({person})
  -- A person's runs are few: found by their own index and then sorted, not looked for from the newest on.
  order by r.started_at + interval '0' desc
  limit 20
) newest
cross join lateral jsonb_array_elements(newest.authors || newest.mergers || newest.reviewers || newest.approvers) p
where %(person)s in (p #>> '{person,login}', p #>> '{person,email}', p #>> '{person,name}')
  and p #>> '{person,email}' is not null;
