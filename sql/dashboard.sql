-- Makes the filters of a dashboard fast over a long history, from about 100,000 events on: indexes that nothing else
-- needs. They add about a tenth to what the trail costs a command (bench/README.md), so only who wants them has them.
-- As whoever installed the trail:
--
--     psql -v ON_ERROR_STOP=1 -f sql/dashboard.sql
--
-- Safe to run again; sql/install.sql leaves them in place. To be rid of them: drop index audit.<name>, for each.
\set ON_ERROR_STOP on
\set QUIET on
begin;
set local client_min_messages = warning;
-- Whoever changes the schema waits for an index that is being made, and it waits for whoever began before.
set local lock_timeout = '10s';
do $$
begin
  if to_regclass('audit.ddl_audit') is null then
    raise exception 'There is no trail here.' using hint = 'Run sql/install.sql first.';
  end if;
  if to_regrole('audit_owner') is not null and pg_has_role(current_user, 'audit_owner', 'member') then
    set local role audit_owner;
  end if;
end
$$;
\ir parts/reading.sql
commit;
