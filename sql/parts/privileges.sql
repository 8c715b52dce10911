-- Who may do what with the trail? Everybody is recorded; three roles own, run and read it; nobody writes a row.

do $$
declare
  routine record;
begin
  for routine in
    select p.oid::regprocedure as signature
      from pg_catalog.pg_proc p
     where p.pronamespace = to_regnamespace('audit')
       -- The default of a column of a warehouse, for whichever login applies a subscription (sql/fan-in.sql).
       and p.proname <> 'subscription_name'
  loop
    execute format('revoke all on function %s from public', routine.signature);
  end loop;
  revoke all on schema audit from public;
  revoke all on all tables in schema audit from public;
  if to_regrole('audit_recorder') is not null then
    grant usage on schema audit to audit_recorder;
    grant execute on function audit.begin_run(jsonb), audit.finish_run(uuid, jsonb), audit.seal() to audit_recorder;
    grant execute on function audit.status(), audit.verify(text) to audit_recorder;
    grant select on audit.history, audit.migration_run, audit.transaction_audit, audit.ddl_audit, audit.installation,
      audit.block, audit.sealed_row, audit.purged_block
      to audit_recorder;
  end if;
  if to_regrole('audit_reader') is not null then
    grant usage on schema audit to audit_reader;
    grant execute on function audit.status(), audit.verify(text) to audit_reader;
    grant select on audit.history, audit.migration_run, audit.transaction_audit, audit.ddl_audit, audit.installation,
      audit.block, audit.sealed_row, audit.purged_block
      to audit_reader;
  end if;
end
$$;
