-- What must not be stored? Passwords and connection strings are masked before a text reaches a table.

create or replace function audit.redact(statement text)
  returns text
  immutable
  set search_path = pg_catalog, pg_temp
  language sql
as $$
  select regexp_replace(statement, '(\mpassword\s*)''[^'']*''', '\1''<redacted>''', 'gi')
$$;

comment on function audit.redact(text) is
  'The statements of one message with their secrets masked; everything else stays as it was written.';
