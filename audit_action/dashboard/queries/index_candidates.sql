-- Which indexes may be those of a table that had these names? By the catalog of today, and by the trail: made in a
-- message that changed the table, or by a statement that writes the table's name.
-- %(names)s text[], %(schemas)s: theirs; %(written)s: their last parts and what ends them, as a regular expression
select
  format('%%I.%%I', n.nspname, c.relname) as identity,
  null as text,
  true as certain,
  false as beside
from pg_catalog.pg_index i
join pg_catalog.pg_class c on c.oid = i.indexrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join pg_catalog.pg_class t on t.oid = i.indrelid
where n.nspname = any (%(schemas)s)
  and format('%%I.%%I', n.nspname, t.relname) = any (%(names)s)
union all
(
  select
    h.object_identity,
    left(h.query_text, 20000),
    false,
    true
  from audit.history h
  where h.object_type = 'index'
    and h.event = 'command'
    and (h.transaction_audit_id, h.message) in (
      select
        t.transaction_audit_id,
        t.message
      from audit.history t
      where t.object_identity = any (%(names)s)
    )
  limit 500
)
union all
(
  select
    h.object_identity,
    left(h.query_text, 20000),
    false,
    false
  from audit.history h
  where h.command_tag = 'CREATE INDEX'
    and h.object_type = 'index'
    and h.schema_name = any (%(schemas)s)
    and h.query_text ~* %(written)s
  limit 500
);
