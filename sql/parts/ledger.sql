-- Was anything changed after it was written? Blocks of digests, each bound to the one before it.

-- Sealing reads what is committed and only ever adds rows of its own: no change of the schema waits for it. A
-- transaction that commits late goes into a later block. Between its commit and its seal a row can still be changed
-- unseen by who may disable the guards; and who writes the whole chain again is found out by a digest that was kept
-- outside of the database (audit.verify(digest)). Sealing at the end of every migration run keeps the first gap
-- short, and its digest in the job summary closes the second.

create table if not exists audit.block (
  id                 uuid        primary key default gen_random_uuid(),
  chain              uuid        not null,
  number             bigint      not null,
  previous_digest    bytea,
  entries            int         not null,
  oldest             timestamptz,
  newest             timestamptz,
  columns            jsonb       not null,
  root               bytea       not null,
  recorders          jsonb       not null,
  installed          text,
  system_identifier  bigint      not null,
  database_oid       bigint      not null,
  sealed_at          timestamptz not null,
  sealed_by          text        not null,
  digest             bytea       not null,
  -- One block has one place in one chain.
  constraint one_block_a_place
    unique (chain, number),
  -- Only the first block of a chain has none before it.
  constraint only_the_first_has_no_previous
    check ((number = 1) = (previous_digest is null))
);

create table if not exists audit.sealed_row (
  block_id  uuid  not null,
  kind      text  not null,
  row_id    uuid  not null,
  digest    bytea not null,
  -- A row is sealed once in a block; and once in a chain, for which audit.seal() cares.
  constraint sealed_row_pkey
    primary key (block_id, kind, row_id),
  -- Transactions with all their events, runs that have ended, installations, and what was purged.
  constraint kind_is_known
    check (kind in ('transaction', 'run', 'installation', 'purge'))
);

create index if not exists sealed_row_row
  on audit.sealed_row (row_id);

create table if not exists audit.purged_block (
  block_id   uuid        primary key,
  purged_at  timestamptz not null default clock_timestamp(),
  purged_by  text        not null default session_user
);

-- What can be sealed: everything that does not change any more.
create or replace view audit.sealable_row as
select 'transaction' as kind, t.id as row_id, t.event_time as moment
  from audit.transaction_audit t
union all
select 'run', r.id, r.finished_at
  from audit.migration_run r
 where r.status <> 'open'
union all
select 'installation', i.id, i.installed_at
  from audit.installation i
union all
select 'purge', p.block_id, p.purged_at
  from audit.purged_block p;

-- Text as the same bytes whatever the encoding of the database. SQL_ASCII has none: its bytes are taken as they are.
create or replace function audit.sha256_of(value text)
  returns bytea
  stable
  language sql
as $function$
  select sha256(
    case getdatabaseencoding()
      when 'SQL_ASCII' then replace(value, $re$\$re$, $re$\\$re$)::bytea  -- whatever standard_conforming_strings is
      else convert_to(value, 'UTF8')
    end
  )
$function$;

-- The columns that a block seals. It names them, so a column that comes later is sealed from then on, and what was
-- sealed before stays true.
create or replace function audit.columns_to_seal()
  returns jsonb
  stable
  language sql
as $function$
  select jsonb_object_agg(t.relname, t.columns)
    from (
      select c.relname, jsonb_agg(a.attname order by a.attnum) as columns
        from pg_class c
        join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
       where c.relnamespace = to_regnamespace('audit')
         and c.relname in ('transaction_audit', 'ddl_audit', 'migration_run', 'installation', 'purged_block')
       group by c.relname
    ) t
$function$;

-- The digests of these rows, or of all, over these columns. What stands at the front of each names the way of doing
-- it. They mean something only in a pinned time zone: audit.seal and audit.verify ask.
create or replace function audit.row_digests(columns jsonb, wanted uuid[])
  returns table (kind text, row_id uuid, digest bytea)
  stable
  language plpgsql
as $function$
declare
  list   jsonb;
  ddl    text;
  single record;
  query  text;
begin
  select jsonb_object_agg(c.key, (
           select string_agg(format('r.%I', v.name), ', ' order by v.place)
             from jsonb_array_elements_text(c.value) with ordinality v (name, place)
         ))
    into list
    from jsonb_each(columns) c;
  query := format(
    $query$
    select 'transaction',
           t.id,
           sha256(
             audit.sha256_of((select json_build_array('audit/transaction/1', %s) from (select t.*) r)::text)
             || coalesce(
                  (
                    select string_agg(
                             audit.sha256_of(json_build_array('audit/event/1', %s)::text), ''::bytea order by r.position
                           )
                      from audit.ddl_audit r
                     where r.transaction_audit_id = t.id
                  ),
                  ''::bytea
                )
           )
      from audit.transaction_audit t
     where $1 is null or t.id = any ($1)
    $query$,
    list ->> 'transaction_audit', list ->> 'ddl_audit'
  );
  for single in
    values ('run', 'migration_run', 'id', $$r.status <> 'open'$$),
           ('installation', 'installation', 'id', 'true'),
           ('purge', 'purged_block', 'block_id', 'true')
  loop
    query := query || format(
      $query$
      union all
      select %L, r.%I, audit.sha256_of(json_build_array(%L, %s)::text)
        from audit.%I r
       where (%s)
         and ($1 is null or r.%I = any ($1))
      $query$,
      single.column1, single.column3, 'audit/' || single.column1 || '/1', list ->> single.column2, single.column2,
      single.column4, single.column3
    );
  end loop;
  return query execute query using wanted;
end
$function$;

create or replace function audit.block_digest(block audit.block)
  returns bytea
  stable
  language sql
as $function$
  select audit.sha256_of(
    json_build_array(
      'audit/block/1', block.id, block.chain, block.number, encode(block.previous_digest, 'hex'), block.entries,
      block.oldest, block.newest, block.columns, encode(block.root, 'hex'), block.recorders, block.installed,
      block.system_identifier, block.database_oid, block.sealed_at, block.sealed_by
    )::text
  )
$function$;

-- The state of what records and guards: event triggers, functions, append-only triggers. A row's xmin is the
-- transaction that wrote it, and outlives VACUUM FREEZE and VACUUM FULL: so whoever disables an event trigger and
-- enables it again leaves a trace, although PostgreSQL fires no event trigger for that.
create or replace function audit.state_of_recorders()
  returns jsonb
  stable
  -- How names are written must not depend on who asks.
  set search_path = pg_catalog, pg_temp
  set quote_all_identifiers = off
  language sql
as $function$
  select jsonb_object_agg(s.name, s.state)
    from (
      select format('event trigger %I', e.evtname) as name,
             format('%s %s %s %s', e.evtenabled, e.evtevent, e.evtfoid::regprocedure, e.xmin) as state
        from pg_event_trigger e
        join pg_proc p on p.oid = e.evtfoid
       where p.pronamespace = to_regnamespace('audit')
      union all
      select format('function %s', p.oid::regprocedure),
             format('%s %s', p.xmin, encode(audit.sha256_of(concat_ws(' ', p.prosrc, p.prosecdef, p.proconfig)), 'hex'))
        from pg_proc p
       where p.pronamespace = to_regnamespace('audit')
      union all
      select format('trigger %I on %s', t.tgname, t.tgrelid::regclass),
             format('%s %s %s', t.tgenabled, t.tgfoid::regprocedure, t.xmin)
        from pg_trigger t
        join pg_class c on c.oid = t.tgrelid
       where c.relnamespace = to_regnamespace('audit')
         and not t.tgisinternal
    ) s
$function$;

-- The chain that this database goes on with: the one it sealed last; else, after a restore, the only one there is; else
-- that of its installation. A warehouse of many trails has one of its own.
create or replace function audit.own_chain()
  returns uuid
  stable
  language plpgsql
as $function$
declare
  own    uuid;
  chains uuid[];
begin
  select b.chain
    into own
    from audit.block b
   where b.system_identifier = (select c.system_identifier from pg_control_system() c)
     and b.database_oid = (select d.oid from pg_database d where d.datname = current_database())::bigint
   order by b.sealed_at desc
   limit 1;
  if own is null then
    chains := array(select distinct b.chain from audit.block b);
    own := case cardinality(chains)
      when 1 then chains[1]
      else (select i.chain from audit.installation i order by i.installed_at desc limit 1)
    end;
  end if;
  return own;
end
$function$;

-- Binds one more block to the chain: these rows, whose moments ascend. The caller holds the lock.
create or replace function audit.add_block(own uuid, head audit.block, wanted uuid[], moments timestamptz[])
  returns audit.block
  volatile
  language plpgsql
as $function$
declare
  block audit.block;
begin
  block.id := gen_random_uuid();
  block.chain := own;
  block.number := coalesce(head.number, 0) + 1;
  block.previous_digest := head.digest;
  block.columns := audit.columns_to_seal();
  block.recorders := audit.state_of_recorders();
  block.system_identifier := (select c.system_identifier from pg_control_system() c);
  block.database_oid := (select d.oid from pg_database d where d.datname = current_database())::bigint;
  block.sealed_at := clock_timestamp();
  block.sealed_by := session_user;
  insert into audit.sealed_row (block_id, kind, row_id, digest)
  select block.id, d.kind, d.row_id, d.digest
    from audit.row_digests(block.columns, wanted) d;
  select count(*), coalesce(sha256(string_agg(s.digest, ''::bytea order by s.kind collate "C", s.row_id)), ''::bytea)
    into block.entries, block.root
    from audit.sealed_row s
   where s.block_id = block.id;
  block.oldest := moments[1];
  block.newest := moments[cardinality(moments)];
  -- An installation since the last block explains that what records is another now.
  select i.version
    into block.installed
    from audit.installation i
   where i.id = any (wanted)
     and (head.sealed_at is null or i.installed_at > head.sealed_at)
   order by i.installed_at desc
   limit 1;
  block.digest := audit.block_digest(block);
  insert into audit.block select block.*;
  return block;
end
$function$;

create or replace function audit.seal()
  returns audit.block
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set timezone = 'UTC'
  set datestyle = 'ISO'
  set extra_float_digits = 1
  set lock_timeout = '5s'
  -- Without fresh statistics one would join every row with every other.
  set enable_nestloop = off
  language plpgsql
as $function$
declare
  rows_a_block constant int := 1000;
  own      uuid;
  head     audit.block;
  waiting  uuid[];
  moments  timestamptz[];
begin
  begin
    -- Not an advisory lock: everybody may take those, and keep us waiting.
    lock table audit.block in share row exclusive mode;
  exception
    when lock_not_available then
      raise exception 'Another session is sealing the trail, and has not ended its transaction for five seconds.'
        using errcode = 'lock_not_available',
              hint = 'What is not sealed now will be sealed the next time.';
  end;
  own := audit.own_chain();
  select coalesce(array_agg(w.row_id order by w.moment), '{}'), coalesce(array_agg(w.moment order by w.moment), '{}')
    into waiting, moments
    from (
           select r.row_id, r.moment
             from audit.sealable_row r
            where not exists (
                    select
                      from audit.sealed_row s
                      join audit.block b on b.id = s.block_id
                     where b.chain = own
                       and s.row_id = r.row_id
                       and s.kind = r.kind
                  )
              -- The transaction that seals may go on and change more.
              and r.row_id is distinct from (
                    select t.id
                      from audit.transaction_audit t
                     where t.transaction_id = txid_current_if_assigned()
                       and t.event_time = transaction_timestamp()
                  )
         ) w;
  select b.* into head from audit.block b where b.chain = own order by b.number desc limit 1;
  if cardinality(waiting) = 0 and head.recorders is distinct from audit.state_of_recorders() then
    head := audit.add_block(own, head, waiting, moments);
  end if;
  for place in 1 .. cardinality(waiting) by rows_a_block loop
    head := audit.add_block(
      own, head, waiting[place : place + rows_a_block - 1], moments[place : place + rows_a_block - 1]
    );
  end loop;
  return head;
end
$function$;

-- Is each block as it was written, and does it follow the one before it?
create or replace function audit.findings_in_blocks()
  returns table (chain uuid, block bigint, subject text, ok boolean, detail text)
  stable
  language sql
as $function$
  with block as (
    select b.chain,
           b.number,
           b.sealed_at,
           b.previous_digest,
           b.digest,
           audit.block_digest(b) as computed,
           lag(b.digest) over w as digest_before,
           coalesce(lag(b.number) over w, 0) as number_before
      from audit.block b
    window w as (partition by b.chain order by b.number)
  )
  select b.chain, b.number, 'block', false, format('it was changed after it was sealed (%s)', b.sealed_at)
    from block b
   where b.digest is distinct from b.computed
  union all
  select b.chain, b.number, 'block', false,
         case b.number - b.number_before
           when 2 then format('block %s before it is gone', b.number - 1)
           else format('blocks %s to %s before it are gone', b.number_before + 1, b.number - 1)
         end
    from block b
   where b.number <> b.number_before + 1
  union all
  select b.chain, b.number, 'block', false, format('it does not follow block %s as that stands now', b.number_before)
    from block b
   where b.number = b.number_before + 1
     and b.previous_digest is distinct from b.digest_before
$function$;

-- Has each block the digests that it was sealed with?
create or replace function audit.findings_in_roots()
  returns table (chain uuid, block bigint, subject text, ok boolean, detail text)
  stable
  language sql
as $function$
  with sealed as (
    select s.block_id,
           count(*) as entries,
           sha256(string_agg(s.digest, ''::bytea order by s.kind collate "C", s.row_id)) as root
      from audit.sealed_row s
     group by s.block_id
  )
  select b.chain,
         b.number,
         'block',
         p.block_id is not null and s.entries is null,
         case
           when p.block_id is not null and s.entries is null then
             format('its %s rows were purged by %s (%s)', b.entries, p.purged_by, p.purged_at)
           when p.block_id is not null then 'it was purged, and holds digests nevertheless'
           when coalesce(s.entries, 0) <> b.entries then
             format('it sealed %s rows, and names %s now', b.entries, coalesce(s.entries, 0))
           else 'its digests were changed after it was sealed'
         end
    from audit.block b
    left join sealed s on s.block_id = b.id
    left join audit.purged_block p on p.block_id = b.id
   where p.block_id is not null
      or coalesce(s.entries, 0) <> b.entries
      or coalesce(s.root, ''::bytea) <> b.root
  union all
  select null, null, 'block ' || s.block_id, false, format('it is gone, and %s rows name it', s.entries)
    from sealed s
   where not exists (select from audit.block b where b.id = s.block_id)
$function$;

-- Has each row the digest that was sealed?
create or replace function audit.findings_in_rows()
  returns table (chain uuid, block bigint, subject text, ok boolean, detail text)
  stable
  language plpgsql
as $function$
declare
  present constant jsonb := audit.columns_to_seal();
  sealed  record;
  missing text;
begin
  for sealed in
    select b.columns, min(b.number) as oldest from audit.block b group by b.columns
  loop
    select string_agg(c.key || '.' || v.name, ', ' order by c.key, v.name)
      into missing
      from jsonb_each(sealed.columns) c
     cross join lateral jsonb_array_elements_text(c.value) v (name)
     where not coalesce(present -> c.key ? v.name, false);
    if missing is not null then
      return query
        select audit.own_chain(), sealed.oldest, 'block'::text, false, format('it sealed %s, which is gone', missing);
      continue;
    end if;
    return query
      select b.chain,
             b.number,
             s.kind || ' ' || s.row_id,
             false,
             case when d.row_id is null then 'it is gone' else 'it was changed after it was sealed' end
        from audit.sealed_row s
        join audit.block b on b.id = s.block_id and b.columns = sealed.columns
        left join audit.row_digests(sealed.columns, null) d on d.kind = s.kind and d.row_id = s.row_id
       where d.digest is distinct from s.digest;
  end loop;
end
$function$;

-- Did what records stay the same from block to block, and since the newest? Only an installation may change it; in
-- another server or database everything was made anew.
create or replace function audit.findings_in_recorders(own uuid)
  returns table (chain uuid, block bigint, subject text, ok boolean, detail text)
  stable
  language sql
as $function$
  with step as (
    select b.chain,
           b.number,
           b.installed,
           concat_ws(' ', b.system_identifier, b.database_oid) as place,
           lag(concat_ws(' ', b.system_identifier, b.database_oid)) over w as place_before,
           b.recorders,
           lag(b.recorders) over w as recorders_before,
           format('between block %s and block %s, sealed %s', b.number - 1, b.number, b.sealed_at) as time
      from audit.block b
    window w as (partition by b.chain order by b.number)
    union all
    (
      select b.chain,
             b.number,
             (
               select i.version
                 from audit.installation i
                where i.installed_at > b.sealed_at
                order by i.installed_at desc
                limit 1
             ),
             (
               select concat_ws(' ', c.system_identifier, d.oid)
                 from pg_control_system() c, pg_database d
                where d.datname = current_database()
             ),
             concat_ws(' ', b.system_identifier, b.database_oid),
             audit.state_of_recorders(),
             b.recorders,
             format('since block %s, sealed %s', b.number, b.sealed_at)
        from audit.block b
       where b.chain = own
       order by b.number desc
       limit 1
    )
  )
  select s.chain, s.number, 'recorders', true,
         case
           when s.place <> s.place_before then
             format('the trail was moved to another server or database %s: by a restore, a copy or pg_upgrade', s.time)
           else format('sql/install.sql was run %s: version %s', s.time, s.installed)
         end
    from step s
   where s.recorders_before is not null
     and (s.place <> s.place_before or s.installed is not null)
  union all
  select s.chain, s.number, d.key, false,
         case
           when d.now is null then 'it was dropped ' || s.time
           when d.before is null then 'it was made ' || s.time
           else 'it was altered, replaced, or disabled and enabled again ' || s.time
         end
    from step s
   cross join lateral (
           select key, a.value as before, z.value as now
             from jsonb_each_text(s.recorders_before) a
             full join jsonb_each_text(s.recorders) z using (key)
         ) d
   where s.recorders_before is not null
     and s.place = s.place_before
     and s.installed is null
     and d.before is distinct from d.now
$function$;

-- One row a finding: false for what does not hold. The rows before the last say what a reader should know although
-- it holds; the last one sums up, and names the digest to keep outside.
create or replace function audit.verify(expected text default null)
  returns table (chain uuid, block bigint, subject text, ok boolean, detail text)
  stable
  security definer
  set search_path = pg_catalog, pg_temp
  set timezone = 'UTC'
  set datestyle = 'ISO'
  set extra_float_digits = 1
  set enable_nestloop = off
  language plpgsql
as $function$
#variable_conflict use_column
declare
  own   uuid := audit.own_chain();
  holds boolean := true;
begin
  for chain, block, subject, ok, detail in
    select * from audit.findings_in_blocks()
    union all
    select * from audit.findings_in_roots()
    union all
    select * from audit.findings_in_rows()
    union all
    select * from audit.findings_in_recorders(own)
    order by 1, 2, 3
  loop
    holds := holds and ok;
    return next;
  end loop;

  if expected is not null then
    select b.chain, b.number, 'digest', true,
           format('the digest that was kept outside is that of block %s, sealed %s', b.number, b.sealed_at)
      into chain, block, subject, ok, detail
      from audit.block b
     where encode(b.digest, 'hex') = lower(trim(expected));
    if not found then
      chain := own;
      block := null;
      subject := 'digest';
      ok := false;
      detail := 'no block has the digest that was kept outside: the chain was written again since, or the digest is '
                'another database''s';
    end if;
    holds := holds and ok;
    return next;
  end if;

  chain := own;
  block := null;
  subject := 'unsealed';
  ok := true;
  select format('%s rows are not sealed yet, the oldest of %s', count(*), min(s.moment))
    into detail
    from audit.sealable_row s
   where not exists (
           select
             from audit.sealed_row e
             join audit.block b on b.id = e.block_id
            where b.chain = own
              and e.row_id = s.row_id
              and e.kind = s.kind
         )
  having count(*) > 0;
  if found then
    return next;
  end if;

  select b.chain, b.number, 'trail', holds,
         format('%s blocks, the newest sealed %s with the digest %s', b.number, b.sealed_at, encode(b.digest, 'hex'))
    into chain, block, subject, ok, detail
    from audit.block b
   where b.chain = own
   order by b.number desc
   limit 1;
  if not found then
    chain := own;
    block := null;
    subject := 'trail';
    ok := false;
    detail := 'nothing is sealed: every block is gone, or audit.seal() was never called';
  end if;
  return next;
end
$function$;

-- Forgets what is older: whole blocks, whose newest row is. The blocks themselves stay, so the chain still verifies.
-- A run stays as long as a transaction belongs to it, and so does the last success of each target, from which the
-- next run takes its range; the next block seals them again. The guards let these deletes through and no others.
create or replace function audit.purge(older_than interval)
  returns bigint
  volatile
  set search_path = pg_catalog, pg_temp
  set timezone = 'UTC'
  set lock_timeout = '5s'
  -- Without fresh statistics one would join every row with every other.
  set enable_nestloop = off
  language plpgsql
as $function$
declare
  own     uuid;
  old     uuid[];
  wrong   text;
  removed bigint;
begin
  if older_than is null or older_than < interval '0' then
    raise exception 'How much history is kept is an interval such as 2 years, not %.',
      coalesce(older_than::text, 'null')
      using errcode = 'invalid_parameter_value';
  end if;
  -- This takes the lock of sealing until the transaction ends.
  select b.chain into own from audit.seal() b;
  old := array(
    select b.id
      from audit.block b
     where b.chain = own
       and b.newest < clock_timestamp() - older_than
       and not exists (select from audit.purged_block p where p.block_id = b.id)
  );
  select string_agg(format('block %s, %s: %s', v.block, v.subject, v.detail), '; ')
    into wrong
    from audit.verify() v
    join audit.block b on b.chain = v.chain and b.number = v.block
   where not v.ok
     and b.id = any (old);
  if wrong is not null then
    raise exception 'What would be purged does not verify, and purging would hide that: %.', wrong
      using errcode = 'object_not_in_prerequisite_state',
            hint = 'Nothing was purged. select * from audit.verify() tells more.';
  end if;
  delete from audit.ddl_audit d
   using audit.sealed_row s
   where s.block_id = any (old)
     and s.kind = 'transaction'
     and d.transaction_audit_id = s.row_id;
  delete from audit.transaction_audit t
   using audit.sealed_row s
   where s.block_id = any (old)
     and s.kind = 'transaction'
     and t.id = s.row_id;
  get diagnostics removed = row_count;
  delete from audit.migration_run r
   using audit.sealed_row s
   where s.block_id = any (old)
     and s.kind = 'run'
     and r.id = s.row_id
     and not exists (select from audit.transaction_audit t where t.run_id = r.id)
     and (
           r.status <> 'succeeded'
           or exists (
                select
                  from audit.migration_run later
                 where later.status = 'succeeded'
                   and later.repository is not distinct from r.repository
                   and later.environment is not distinct from r.environment
                   and later.finished_at > r.finished_at
              )
         );
  delete from audit.sealed_row s
   where s.block_id = any (old);
  insert into audit.purged_block (block_id)
  select gone from unnest(old) as gone;
  perform audit.seal();
  return removed;
end
$function$;

-- What the guards ask: whether the client itself called audit.purge, and that is deleting. The last line of the stack
-- is what the client called; of a statement's text it cannot be a part, which stands between quotation marks.
create or replace function audit.is_purging(stack text)
  returns boolean
  immutable
  language sql
as $function$
  select stack ~ E'\n[^\n"]*\\maudit[.]purge[(]interval[)][^\n"]*$'
$function$;

comment on table audit.block is
  'Blocks of digests, each bound to the one before it: audit.seal() writes them, audit.verify() checks them. Append-only.';
comment on column audit.block.oldest is 'The moment of the oldest row in it.';
comment on column audit.block.newest is 'The moment of the newest row in it: audit.purge() goes by it.';
comment on column audit.block.columns is 'The columns that were sealed, by table.';
comment on column audit.block.root is 'sha256 over the digests of its rows, ordered by kind and id.';
comment on column audit.block.recorders is
  'The event triggers, functions and guards as they were (audit.state_of_recorders()).';
comment on column audit.block.installed is
  'The version that sql/install.sql installed since the block before; null: none.';
comment on column audit.block.system_identifier is 'The server it was sealed on (pg_control_system()).';
comment on column audit.block.database_oid is 'The database it was sealed in (pg_database.oid).';
comment on view audit.sealable_row is
  'What audit.seal() seals: transactions with their events, ended runs, installations and purges.';
comment on function audit.sha256_of(text) is 'sha256 of a text as UTF-8, whatever the encoding of the database.';
comment on function audit.columns_to_seal() is 'The columns of the tables that are sealed, as they are now.';
comment on function audit.row_digests(jsonb, uuid[]) is
  'The digests of these rows (null: of all) over these columns, as they stand now.';
comment on function audit.block_digest(audit.block) is
  'The digest of a block: over all its columns but the digest itself.';
comment on function audit.state_of_recorders() is
  'The event triggers, functions and guards of the trail as they are now, each with the transaction that wrote it.';
comment on function audit.own_chain() is 'The chain that this database goes on with.';
comment on function audit.add_block(uuid, audit.block, uuid[], timestamptz[]) is
  'Binds one more block to the chain. Only audit.seal() calls it.';
comment on function audit.seal() is
  'Seals what is committed and not sealed yet, and returns the newest block: its digest, kept outside of the database, proves the trail up to now. DDL never waits for it.';
comment on function audit.verify(text) is
  'Checks every sealed row and the chain itself: one row a finding, false for what does not hold, and a last one that sums up. Given a digest that was kept outside, it says whether that is still in the chain.';
comment on function audit.findings_in_blocks() is 'What audit.verify() finds in the blocks themselves.';
comment on function audit.findings_in_roots() is 'What audit.verify() finds in the digests of the blocks.';
comment on function audit.findings_in_rows() is 'What audit.verify() finds in the rows that were sealed.';
comment on function audit.findings_in_recorders(uuid) is
  'What audit.verify() finds in the event triggers, functions and guards.';
comment on function audit.is_purging(text) is
  'Whether this stack is that of audit.purge, called by the client itself.';
