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
    -- Asked once: where no session outside a run named one, none is needed.
    and (
      select h.application_user_email
      from audit.history h
      where h.run_id is null
        and h.application_user_email is not null
      order by h.application_user_email
      limit 1
    ) is not null
  -- A person's runs are few: found by their own index and then sorted, not looked for from the newest on.
  order by r.started_at + interval '0' desc
  limit 20
) newest
cross join lateral jsonb_array_elements(newest.authors || newest.mergers || newest.reviewers || newest.approvers) p
where %(person)s in (p #>> '{person,login}', p #>> '{person,email}', p #>> '{person,name}')
  and p #>> '{person,email}' is not null;
