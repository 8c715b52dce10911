-- The table or view that a column, trigger, policy, rule or constraint h belongs to, out of its identity
-- (pg_identify_object: "public.users.email", "stamp on public.users").
case
  when h.object_type in ('trigger', 'policy', 'rule', 'table constraint')
    then substring(h.object_identity from '^(?:"(?:[^"]|"")*"|[^" ]+) on (.*)$')
  when h.object_type in ('table column', 'view column', 'foreign table column', 'materialized view column', 'default value')
    then substring(h.object_identity from '^(?:for )?(.*)\.(?:"(?:[^"]|"")*"|[^".]+)$')
end
