-- The usual two-table trail, as a yardstick: one row a transaction, one row a command, the whole text on each.
create schema plain;

create table plain.transactions (
  txid         bigint      primary key,
  happened_at  timestamptz not null default now(),
  login        text        not null,
  person       text,
  email        text,
  address      inet
);

create table plain.commands (
  id         bigserial primary key,
  txid       bigint    not null references plain.transactions on delete cascade,
  tag        text      not null,
  identity   text,
  statement  text      not null
);

create function plain.log()
  returns event_trigger
  language plpgsql
as $$
declare
  command record;
  tx      bigint := txid_current();
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
  for command in select * from pg_event_trigger_ddl_commands() loop
    insert into plain.commands (txid, tag, identity, statement)
    values (tx, command.command_tag, command.object_identity, current_query());
  end loop;
end
$$;

create event trigger plain_log on ddl_command_end execute function plain.log();
