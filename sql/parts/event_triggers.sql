-- What wakes the trail? Three event triggers, which fire in replica sessions too. The last thing to be installed.

-- The tags that rename or move: those that this server knows, for it refuses the others.
create or replace function audit.tags_of_alter()
  returns text
  immutable
  language sql
as $function$
  select 'when tag in (' || string_agg(quote_literal('ALTER ' || kind), ', ') || ')'
    from unnest(array[
           'AGGREGATE', 'COLLATION', 'CONVERSION', 'DOMAIN', 'EXTENSION', 'FOREIGN DATA WRAPPER', 'FOREIGN TABLE',
           'FUNCTION', 'INDEX', 'LANGUAGE', 'MATERIALIZED VIEW', 'OPERATOR', 'OPERATOR CLASS', 'OPERATOR FAMILY',
           'POLICY', 'PROCEDURE', 'PUBLICATION', 'ROUTINE', 'RULE', 'SCHEMA', 'SEQUENCE', 'SERVER', 'STATISTICS',
           'SUBSCRIPTION', 'TABLE', 'TEXT SEARCH CONFIGURATION', 'TEXT SEARCH DICTIONARY', 'TEXT SEARCH PARSER',
           'TEXT SEARCH TEMPLATE', 'TRIGGER', 'TYPE', 'VIEW'
         ]) kind
$function$;

revoke all on function audit.tags_of_alter() from public;
comment on function audit.tags_of_alter() is
  'The condition of the event trigger track_previous_names.';

reset role;

do $$
declare
  wanted record;
begin
  for wanted in
    values
      ('track_previous_names', 'ddl_command_end', 'remember_names', 'Remembers what a command renames or moves.'),
      ('track_schema_changes', 'ddl_command_end', 'log_schema_changes', 'Records what a DDL command made or altered.'),
      ('track_schema_drops', 'sql_drop', 'log_schema_drops', 'Records what a command dropped.'),
      ('track_table_rewrites', 'table_rewrite', 'log_table_rewrites', 'Records that a command rewrote a table.')
  loop
    begin
      execute format(
        'create event trigger %I on %s %s execute function audit.%I()',
        wanted.column1,
        wanted.column2,
        case wanted.column3 when 'remember_names' then audit.tags_of_alter() end,
        wanted.column3
      );
      execute format('comment on event trigger %I is %L', wanted.column1, wanted.column4);
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
select '0.1.0',
       current_setting('audit.started_from'),
       coalesce((select i.chain from audit.installation i order by i.installed_at limit 1), gen_random_uuid()),
       audit.fingerprint();

-- What records from now on is in a block, before anybody can change it.
do $$
begin
  perform audit.seal();
end
$$;
