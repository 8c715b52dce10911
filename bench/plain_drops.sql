-- What plain_trigger.sql needs to keep a row of what was dropped too.
create function plain.log_drops()
  returns event_trigger
  language plpgsql
as $$
declare
  object record;
  tx     bigint := txid_current();
begin
  insert into plain.transactions (txid, login, person, email, address)
  values (
    tx,
    session_user,
    current_setting('audit.user_name', true),
    current_setting('audit.user_email', true),
    inet_client_addr()
  )
  on conflict (txid) do nothing;
  for object in select * from pg_event_trigger_dropped_objects() where original loop
    insert into plain.commands (txid, tag, identity, statement)
    values (tx, tg_tag, object.object_identity, current_query());
  end loop;
end
$$;

create event trigger plain_log_drops on sql_drop execute function plain.log_drops();
