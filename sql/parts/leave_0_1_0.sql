-- What did version 0.1.0 have that this one has not? Functions that became one, indexes that are in
-- sql/dashboard.sql now, and a secret.

do $$
declare
  item text;
begin
  if current_setting('audit.started_from') <> '0.1.0' then
    return;
  end if;
  foreach item in array array[
    'remember_names()', 'log_schema_drops()', 'log_table_rewrites()', 'tags_of_alter()', 'record_transaction(bigint)',
    'record(text, text, text, text, text, text, boolean, int, text)', 'setting(text)', 'signed(text)'
  ] loop
    execute format('drop function if exists audit.%s', item);
  end loop;
  drop table if exists audit.secret;
  drop index if exists
    audit.migration_run_people,
    audit.migration_run_actor,
    audit.migration_run_triggering_actor,
    audit.transaction_audit_newest,
    audit.transaction_audit_run,
    audit.transaction_audit_manual,
    audit.transaction_audit_user_name,
    audit.transaction_audit_user_email,
    audit.transaction_audit_user,
    audit.ddl_audit_command_tag,
    audit.ddl_audit_drop,
    audit.ddl_audit_object,
    audit.ddl_audit_previous,
    audit.ddl_audit_owner,
    audit.ddl_audit_inner_keyword;
end
$$;
