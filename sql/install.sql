-- Installs the trail into the database you are connected to, upgrades an earlier version of it, or adopts the
-- two tables of the article it grew from. All or nothing, and safe to run again:
--
--     psql -v ON_ERROR_STOP=1 -f sql/install.sql
--
-- Each part makes what is missing and replaces what may have changed. What an earlier version needs besides is a part
-- of its own that asks current_setting('audit.started_from'), as parts/adopt_article.sql does.
--
-- The parts are plain SQL: any client that replaces each \ir line by the file it names can run them as one script.
\set ON_ERROR_STOP on
\set QUIET on
begin;
set local client_min_messages = warning;
\ir parts/start_state.sql
\ir parts/adopt_article.sql
\ir parts/leave_0_1_0.sql
\ir parts/tables.sql
\ir parts/redaction.sql
\ir parts/naming.sql
\ir parts/runs.sql
\ir parts/capture.sql
\ir parts/history.sql
\ir parts/ledger.sql
\ir parts/guards.sql
\ir parts/status.sql
\ir parts/privileges.sql
\ir parts/comments.sql
\ir parts/event_triggers.sql
commit;
