-- Who may change what was written? Nobody: not the owner by mistake, not a replica session.

create or replace function audit.refuse_change()
  returns trigger
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  stack text;
begin
  -- audit.purge is the one that may, and nobody else can be on the stack below us.
  get diagnostics stack = pg_context;
  if tg_op = 'DELETE' and stack ~ 'audit[.]purge[(]interval[)]' then
    return old;
  end if;
  raise exception 'The trail is append-only: % of audit.% is refused.', lower(tg_op), tg_table_name
    using errcode = 'insufficient_privilege',
          hint = 'To keep less history, use audit.purge(interval).';
end
$$;

create or replace function audit.refuse_change_of_a_finished_run()
  returns trigger
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  if old.status = 'open'
     and to_jsonb(old) - array['status', 'finished_at', 'exit_code', 'in_progress']
       = to_jsonb(new) - array['status', 'finished_at', 'exit_code', 'in_progress']
  then
    return new;
  end if;
  raise exception 'A migration run is written once and finished once; it is not changed.'
    using errcode = 'insufficient_privilege';
end
$$;

do $$
declare
  tab text;
begin
  foreach tab in array array[
    'transaction_audit', 'ddl_audit', 'migration_run', 'installation', 'block', 'sealed_row', 'purged_block'
  ] loop
    execute format('drop trigger if exists append_only on audit.%I', tab);
    execute format('drop trigger if exists append_only_truncate on audit.%I', tab);
    execute format(
      'create trigger append_only before %s on audit.%I for each row execute function audit.refuse_change()',
      case tab when 'migration_run' then 'delete' else 'update or delete' end, tab
    );
    execute format(
      'create trigger append_only_truncate before truncate on audit.%I execute function audit.refuse_change()', tab
    );
    execute format('alter table audit.%I enable always trigger append_only', tab);
    execute format('alter table audit.%I enable always trigger append_only_truncate', tab);
  end loop;
end
$$;

drop trigger if exists finished_once on audit.migration_run;
create trigger finished_once
  before update on audit.migration_run
  for each row execute function audit.refuse_change_of_a_finished_run();
alter table audit.migration_run enable always trigger finished_once;

comment on function audit.refuse_change() is
  'Trigger function: the trail is append-only.';
comment on function audit.refuse_change_of_a_finished_run() is
  'Trigger function: a run is finished once, and nothing else about it changes.';
