-- What wakes the trail? Three event triggers, which fire in replica sessions too. The last thing to be installed.

reset role;

do $$
declare
  wanted record;
begin
  for wanted in
    values
      ('track_schema_changes', 'ddl_command_end', 'Records what a DDL command made or altered.'),
      ('track_schema_drops', 'sql_drop', 'Records what a command dropped.'),
      ('track_table_rewrites', 'table_rewrite', 'Records that a command rewrote a table.')
  loop
    begin
      execute format(
        'create event trigger %I on %s execute function audit.log_schema_changes()', wanted.column1, wanted.column2
      );
      execute format('comment on event trigger %I is %L', wanted.column1, wanted.column3);
    exception
      when insufficient_privilege then
        raise warning 'The role % may not create event triggers here: nothing is recorded until they exist.', current_user
          using hint = 'PostgreSQL itself asks for a superuser; a provider names a role for it (Neon: a member of '
                       'neon_superuser, RDS: the master user, Cloud SQL: cloudsqlsuperuser, Supabase: postgres). '
                       'Run sql/install.sql again as that role.';
        exit;
    end;
    begin
      execute format('alter event trigger %I enable always', wanted.column1);
    exception
      when insufficient_privilege then
        raise warning 'The event trigger % could not be enabled always: a replica session escapes it.', wanted.column1;
    end;
  end loop;
end
$$;

-- What was installed, and a fingerprint of what must not change until the next installation.
insert into audit.installation (version, started_from, chain, fingerprint)
select '0.2.0',
       current_setting('audit.started_from'),
       coalesce((select i.chain from audit.installation i order by i.installed_at limit 1), gen_random_uuid()),
       audit.fingerprint();

-- What records from now on is in a block, before anybody can change it.
do $$
begin
  perform audit.seal();
end
$$;
