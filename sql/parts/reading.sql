-- What does a dashboard look for that the keys do not lead to? One index for each filter. Those of audit.ddl_audit hold
-- no entry for most rows, or one for many.

-- Only what is missing, as in parts/tables.sql.
do $$
declare
  wanted record;
begin
  for wanted in
    values
      -- By a person in any role, and by who started the run.
      ('migration_run_people', 'audit.migration_run using gin ((authors || mergers || reviewers || approvers) jsonb_path_ops)'),
      ('migration_run_actor', 'audit.migration_run (actor)'),
      ('migration_run_triggering_actor', 'audit.migration_run (triggering_actor)'),
      -- The transactions of a run; and where there is no run, the newest.
      ('transaction_audit_run', 'audit.transaction_audit (run_id, event_time)'),
      -- By the person whom a session outside any run named.
      ('transaction_audit_user_name',
        $index$audit.transaction_audit (application_user_name)
          where run_id is null and application_user_name is not null$index$),
      ('transaction_audit_user_email',
        $index$audit.transaction_audit (application_user_email)
          where run_id is null and application_user_email is not null$index$),
      -- By a login that is rare, or that had no run.
      ('transaction_audit_user', 'audit.transaction_audit (database_user, run_id)'),
      -- By what is dropped, and by a kind of command that is rare.
      ('ddl_audit_command_tag', 'audit.ddl_audit (event, command_tag)'),
      -- A hash index, because an identity may be longer than a B-tree takes (a function of a hundred arguments), and that
      -- must not stop its command. It holds no entry for null.
      ('ddl_audit_object', 'audit.ddl_audit using hash (object_identity)'),
      ('ddl_audit_previous', 'audit.ddl_audit using hash (previous_identity)'),
      -- The columns, triggers, policies, rules and constraints of a table, out of their identities. The dashboard's
      -- queries/owner.sql is the same expression, and queries/owned.sql the same condition.
      ('ddl_audit_owner',
        $index$audit.ddl_audit using hash ((
            case
              when object_type in ('trigger', 'policy', 'rule', 'table constraint')
                then substring(object_identity from '^(?:"(?:[^"]|"")*"|[^" ]+) on (.*)$')
              when object_type in (
                'table column', 'view column', 'foreign table column', 'materialized view column', 'default value'
              )
                then substring(object_identity from '^(?:for )?(.*)\.(?:"(?:[^"]|"")*"|[^".]+)$')
            end
          ))
          where object_type in (
            'trigger', 'policy', 'rule', 'table constraint', 'table column', 'view column', 'foreign table column',
            'materialized view column', 'default value'
          )$index$)
  loop
    if to_regclass('audit.' || wanted.column1) is null then
      execute format('create index %I on %s', wanted.column1, wanted.column2);
    end if;
  end loop;
end
$$;

-- Words in the statements of functions, as ddl_audit_keyword finds those in messages.
do $$
declare
  home text;
begin
  select quote_ident(n.nspname)
    into home
    from pg_catalog.pg_extension e
    join pg_catalog.pg_namespace n on n.oid = e.extnamespace
   where e.extname = 'pg_trgm';
  if home is not null and to_regclass('audit.ddl_audit_inner_keyword') is null then
    execute format(
      'create index ddl_audit_inner_keyword on audit.ddl_audit using gin (statement_text %s.gin_trgm_ops) '
      'where statement_text is not null',
      home
    );
  end if;
exception
  when insufficient_privilege then null;
end
$$;
