-- Who may change what was written? Nobody: not the owner by mistake, not a replica session.

create or replace function audit.refuse_change()
  returns trigger
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  stack text;
begin
  if tg_op = 'DELETE' then
    get diagnostics stack = pg_context;
    if audit.is_purging(stack) then
      return old;
    end if;
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

-- Only what is missing or was tampered with is made: making a trigger waits for every open transaction that changed
-- the schema, and everybody else waits behind it.
do $$
declare
  wanted record;
begin
  for wanted in
    select format('%I', t.name) as tab,
           g.trigger,
           format('CREATE TRIGGER %I BEFORE %s ON audit.%I FOR EACH %s', g.trigger, g.event, t.name, g.rest) as definition
      from unnest(array[
             'transaction_audit', 'ddl_audit', 'migration_run', 'installation', 'block', 'sealed_row', 'purged_block'
           ]) as t (name)
     cross join lateral (
             values
               (
                 'append_only',
                 case t.name when 'migration_run' then 'DELETE' else 'DELETE OR UPDATE' end,
                 'ROW EXECUTE FUNCTION audit.refuse_change()'
               ),
               ('append_only_truncate', 'TRUNCATE', 'STATEMENT EXECUTE FUNCTION audit.refuse_change()'),
               ('finished_once', 'UPDATE', 'ROW EXECUTE FUNCTION audit.refuse_change_of_a_finished_run()')
           ) as g (trigger, event, rest)
     where g.trigger <> 'finished_once'
        or t.name = 'migration_run'
  loop
    if not exists (
      select
        from pg_catalog.pg_trigger t
       where t.tgrelid = ('audit.' || wanted.tab)::regclass
         and t.tgname = wanted.trigger
         and t.tgenabled = 'A'
         and pg_catalog.pg_get_triggerdef(t.oid) = wanted.definition
    ) then
      execute format('drop trigger if exists %I on audit.%s', wanted.trigger, wanted.tab);
      execute wanted.definition;
      execute format('alter table audit.%s enable always trigger %I', wanted.tab, wanted.trigger);
    end if;
  end loop;
end
$$;
