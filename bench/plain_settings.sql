-- What plain_trigger.sql needs to keep all that a migration run delivers: it keeps a name and an address.
alter table plain.transactions add column settings jsonb;

create or replace function plain.log()
  returns event_trigger
  language plpgsql
as $$
declare
  command record;
  tx      bigint := txid_current();
begin
  insert into plain.transactions (txid, login, person, email, address, settings)
  values (
    tx,
    session_user,
    current_setting('audit.user_name', true),
    current_setting('audit.user_email', true),
    inet_client_addr(),
    jsonb_build_object(
      'run_id', current_setting('audit.run_id', true),
      'commit', current_setting('audit.commit', true),
      'authors', current_setting('audit.authors', true),
      'merger', current_setting('audit.merger', true),
      'reviewers', current_setting('audit.reviewers', true),
      'pull_requests', current_setting('audit.pull_requests', true),
      'run_url', current_setting('audit.run_url', true)
    )
  )
  on conflict (txid) do nothing;
  for command in select * from pg_event_trigger_ddl_commands() loop
    insert into plain.commands (txid, tag, identity, statement)
    values (tx, command.command_tag, command.object_identity, current_query());
  end loop;
end
$$;
