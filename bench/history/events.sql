-- Five events a transaction, in one message or in five.
insert into audit.ddl_audit (
  transaction_audit_id, position, transaction_id, message, message_time, event_time, event, command_tag,
  object_type, schema_name, object_identity, previous_identity, original, query_text
)
select
  (encode(timestamptz_send(moment), 'hex') || left(md5('transaction' || n), 16))::uuid,
  place,
  1000 + n,
  case when n %% 2 = 0 then 1 else place end,
  moment,
  moment + place * interval '1 millisecond',
  case when place = 5 and n %% 100 = 9 then 'drop' else 'command' end,
  case place
    when 1 then 'CREATE TABLE'
    when 2 then 'CREATE INDEX'
    when 3 then 'ALTER TABLE'
    when 4 then 'COMMENT'
    else case when n %% 100 = 9 then 'DROP TABLE' when n %% 40000 = 11 then 'CREATE CAST' else 'ALTER TABLE' end
  end,
  case place when 2 then 'index' when 4 then 'table column' else 'table' end,
  'public',
  case place
    when 2 then 'public.table_' || n %% 2000 || '_idx_' || n
    when 4 then 'public.table_' || n %% 2000 || '.amount'
    else 'public.table_' || n %% 2000
  end,
  case when place = 3 and n %% 5000 = 17 then 'public.old_table_' || n end,
  case when place = 5 and n %% 100 = 9 then true end,
  case
    when n %% 2 = 0 and place = 1 then
      format(
        E'-- change %%s of the storefront\ncreate table public.table_%%s (id bigint primary key, amount numeric);\n'
        'create index table_%%s_idx_%%s on public.table_%%s (amount);\nalter table public.table_%%s add column c%%s text;\n'
        'comment on column public.table_%%s.amount is %%L;\nalter table public.table_%%s alter column amount set not null;',
        n, n %% 2000, n %% 2000, n, n %% 2000, n %% 2000, n, n %% 2000, md5(n::text) || words, n %% 2000
      )
    when n %% 2 = 1 then
      case place
        when 1 then format('create table public.table_%%s (id bigint primary key, amount numeric)', n %% 2000)
        when 2 then format('create index table_%%s_idx_%%s on public.table_%%s (amount)', n %% 2000, n, n %% 2000)
        when 3 then format('alter table public.table_%%s add column c%%s text', n %% 2000, n)
        when 4 then format('comment on column public.table_%%s.amount is %%L', n %% 2000, md5(n::text) || words)
        else format(
          case when n %% 100 = 9 then 'drop table public.table_%%s' else 'alter table public.table_%%s set (fillfactor = 90)' end,
          n %% 2000
        )
      end
  end
from generate_series(1, %(transactions)s) n
cross join generate_series(1, 5) place
cross join lateral (
  select
    %(start)s::timestamptz + (n / 5 + 1) * %(step)s::interval + n %% 5 * interval '1 second' as moment,
    case when n in (33, 77777, 150001) then ' zyzzyva' when n %% 1000 = 3 then ' uncommon' else '' end as words
) said
