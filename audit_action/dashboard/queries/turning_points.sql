-- When did something begin or cease to be called by one of these names? %(names)s text[]
select
  h.event_time as time,
  h.transaction_audit_id,
  h.position,
  h.event,
  h.object_type,
  h.object_identity as identity,
  h.previous_identity as previous
from audit.history h
where (h.object_identity = any (%(names)s) or h.previous_identity = any (%(names)s))
  and (h.previous_identity is not null or h.event = 'drop' or h.command_tag like 'CREATE %%')
  and (%(source)s::text is null or {source} = %(source)s)
order by
  h.event_time desc,
  h.position desc
limit 1000;
