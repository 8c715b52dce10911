-- Whether h is something that belongs to a table or view: then owner.sql says to which, and an index leads there.
h.object_type in (
  'trigger', 'policy', 'rule', 'table constraint', 'table column', 'view column', 'foreign table column',
  'materialized view column', 'default value'
)
