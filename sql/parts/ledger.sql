-- How does one prove that nothing was changed afterwards? Blocks of digests, each bound to the one before it.

-- A block is made after the fact, over rows that are committed: no command waits for it. Only the digest of the newest
-- block, kept outside of this database, proves anything against its superuser.
create table if not exists audit.block (
  id               uuid        primary key default gen_random_uuid(),
  chain            uuid        not null,
  number           bigint      not null,
  previous_digest  bytea,
  entries          int         not null,
  digest           bytea       not null,
  sealed_at        timestamptz not null,
  sealed_by        text        not null,
  -- One block has one place in one chain.
  constraint one_block_a_place
    unique (chain, number)
);

create table if not exists audit.sealed_row (
  row_id    uuid  not null,
  kind      text  not null,
  block_id  uuid  not null,
  digest    bytea not null,
  -- A row is sealed once.
  constraint sealed_row_pkey
    primary key (row_id, kind),
  -- Transactions with all their events, and runs that have ended.
  constraint kind_is_known
    check (kind in ('transaction', 'run'))
);

create index if not exists sealed_row_block
  on audit.sealed_row (block_id);

create table if not exists audit.purged_block (
  block_id   uuid        primary key,
  purged_at  timestamptz not null default clock_timestamp(),
  purged_by  text        not null default session_user
);

-- The digest of one row as it stands now, or null when it is gone. The version at the front names this way of doing it.
create or replace function audit.row_digest(kind text, row_id uuid)
  returns bytea
  stable
  set search_path = pg_catalog, pg_temp
  set timezone = 'UTC'
  set datestyle = 'ISO'
  set intervalstyle = 'postgres'
  set extra_float_digits = 1
  set bytea_output = 'hex'
  language plpgsql
as $function$
declare
  content jsonb;
begin
  if kind = 'transaction' then
    select jsonb_build_array(
             'audit/transaction/v1',
             jsonb_strip_nulls(to_jsonb(t)),
             (
               select jsonb_agg(jsonb_strip_nulls(to_jsonb(d)) order by d.position)
                 from audit.ddl_audit d
                where d.transaction_audit_id = t.id
             )
           )
      into content
      from audit.transaction_audit t
     where t.id = row_digest.row_id;
  else
    select jsonb_build_array('audit/run/v1', jsonb_strip_nulls(to_jsonb(r)))
      into content
      from audit.migration_run r
     where r.id = row_digest.row_id;
  end if;
  return sha256(replace(content::text, $re$\$re$, $re$\\$re$)::bytea);
end
$function$;

create or replace function audit.block_digest(previous bytea, block uuid, chain uuid, number bigint, sealed_at timestamptz)
  returns bytea
  stable
  set search_path = pg_catalog, pg_temp
  language sql
as $function$
  select sha256(
    convert_to('audit/block/v1 ' || chain::text || ' ' || number::text || ' '
               || (extract(epoch from sealed_at) * 1000000)::bigint::text || ' ', 'UTF8')
    || coalesce(previous, '')
    || coalesce(string_agg(uuid_send(s.row_id) || s.digest, '' order by s.kind, s.row_id), '')
  )
    from audit.sealed_row s
   where s.block_id = block
$function$;

create or replace function audit.seal()
  returns audit.block
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $function$
declare
  head  audit.block;
  block audit.block;
begin
  -- Seals wait for each other; nothing else takes this lock.
  perform pg_advisory_xact_lock(hashtext('audit.seal'));
  select b.*
    into head
    from audit.block b
   where b.chain = (select i.chain from audit.installation i order by i.installed_at desc limit 1)
   order by b.number desc
   limit 1;
  block.id := gen_random_uuid();
  insert into audit.sealed_row (row_id, kind, block_id, digest)
  select t.id, 'transaction', block.id, audit.row_digest('transaction', t.id)
    from audit.transaction_audit t
   where not exists (select from audit.sealed_row s where s.row_id = t.id and s.kind = 'transaction')
  union all
  select r.id, 'run', block.id, audit.row_digest('run', r.id)
    from audit.migration_run r
   where r.status <> 'open'
     and not exists (select from audit.sealed_row s where s.row_id = r.id and s.kind = 'run');
  get diagnostics block.entries = row_count;
  if block.entries = 0 then
    return head;  -- the newest block covers everything already
  end if;
  block.chain := coalesce(
    head.chain, (select i.chain from audit.installation i order by i.installed_at desc limit 1)
  );
  block.number := coalesce(head.number, 0) + 1;
  block.previous_digest := head.digest;
  block.sealed_at := clock_timestamp();
  block.sealed_by := session_user;
  block.digest := audit.block_digest(block.previous_digest, block.id, block.chain, block.number, block.sealed_at);
  insert into audit.block select block.*;
  return block;
end
$function$;

create or replace function audit.verify()
  returns table (chain uuid, block bigint, ok boolean, detail text)
  stable
  security definer
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $function$
declare
  sealed   audit.block;
  previous audit.block;
  changed  text;
  purged   boolean;
begin
  for sealed in select b.* from audit.block b order by b.chain, b.number loop
    chain := sealed.chain;
    block := sealed.number;
    purged := exists (select from audit.purged_block p where p.block_id = sealed.id);
    select string_agg(s.kind || ' ' || s.row_id, ', ' order by s.row_id)
      into changed
      from audit.sealed_row s
     where s.block_id = sealed.id
       and not purged
       and audit.row_digest(s.kind, s.row_id) is distinct from s.digest;
    detail := case
      when sealed.number > 1 and (previous.chain, previous.number + 1) is distinct from (sealed.chain, sealed.number) then
        'the block before it is gone'
      when sealed.number > 1 and previous.digest is distinct from sealed.previous_digest then
        'it was not made after the block before it'
      when (select count(*) from audit.sealed_row s where s.block_id = sealed.id) <> sealed.entries then
        'it sealed ' || sealed.entries || ' rows, and does not name as many now'
      when audit.block_digest(sealed.previous_digest, sealed.id, sealed.chain, sealed.number, sealed.sealed_at)
           is distinct from sealed.digest then
        'its digest is not that of what it holds'
      when changed is not null then
        'changed or removed since: ' || changed
    end;
    ok := detail is null;
    detail := coalesce(
      detail,
      sealed.entries || ' rows sealed at ' || sealed.sealed_at
        || case when purged then ', purged since' else '' end
    );
    previous := sealed;
    return next;
  end loop;
end
$function$;

create or replace function audit.purge(older_than interval)
  returns bigint
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $function$
declare
  limit_time constant timestamptz := clock_timestamp() - older_than;
  blocks     uuid[];
  removed    bigint;
begin
  perform pg_advisory_xact_lock(hashtext('audit.seal'));
  -- Whole blocks alone: their digests stay, and with them the proof of everything that is left.
  blocks := array(
    select b.id
      from audit.block b
     where b.sealed_at < limit_time
       and not exists (select from audit.purged_block p where p.block_id = b.id)
  );
  insert into audit.purged_block (block_id) select unnest(blocks);
  delete from audit.ddl_audit d
   using audit.sealed_row s
   where s.block_id = any (blocks)
     and s.kind = 'transaction'
     and d.transaction_audit_id = s.row_id;
  delete from audit.transaction_audit t
   using audit.sealed_row s
   where s.block_id = any (blocks)
     and s.kind = 'transaction'
     and t.id = s.row_id;
  get diagnostics removed = row_count;
  -- The last success of a target stays: the next run counts its commits from there.
  delete from audit.migration_run r
   using audit.sealed_row s
   where s.block_id = any (blocks)
     and s.kind = 'run'
     and r.id = s.row_id
     and not exists (select from audit.transaction_audit t where t.run_id = r.id)
     and exists (
           select from audit.migration_run n
            where n.status = 'succeeded'
              and n.started_at > r.started_at
              and row(n.repository, n.environment, n.workflow)
                  is not distinct from row(r.repository, r.environment, r.workflow)
         );
  return removed;
end
$function$;
