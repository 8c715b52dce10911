-- What becomes of the article's two tables? They grow the columns of ours, in place: rows, readers' rights and the
-- views that somebody built on them stay.

do $$
declare
  item record;
begin
  if current_setting('audit.started_from') <> 'article' then
    return;
  end if;
  for item in
    select c.conrelid::regclass as tab, c.conname
      from pg_catalog.pg_constraint c
     where c.conrelid in ('audit.transaction_audit'::regclass, 'audit.ddl_audit'::regclass)
       and c.contype in ('p', 'f', 'u', 'c')
     order by c.contype  -- foreign keys before the keys that they need
  loop
    execute format('alter table %s drop constraint %I', item.tab, item.conname);
  end loop;
  alter table audit.transaction_audit
    add column id uuid not null default gen_random_uuid(),
    add column login_user text,
    add column role text,
    add column application_name text,
    add column pid int,
    add column delivery text not null default 'none',
    add column ambiguous boolean not null default false,
    add column run_id uuid,
    add column claimed_run_id text,
    add column claims jsonb,
    add constraint transaction_audit_pkey primary key (id);
  alter table audit.ddl_audit
    alter column query_text drop not null,
    add column transaction_audit_id uuid,
    add column position int,
    add column message int,
    add column message_time timestamptz,
    add column event_time timestamptz,
    add column event text not null default 'command',
    add column object_type text,
    add column schema_name text,
    add column previous_identity text,
    add column original boolean,
    add column rewrite_reason int,
    add column statement_text text,
    add column redacted boolean not null default false;
  -- The article has the text on every row: each stays a message of its own.
  update audit.ddl_audit d
     set transaction_audit_id = n.key,
         position = n.position,
         message = n.position,
         message_time = n.event_time,
         event_time = n.event_time
    from (
           select o.id,
                  t.id as key,
                  t.event_time,
                  row_number() over (partition by o.transaction_id order by o.id) as position
             from audit.ddl_audit o
             join audit.transaction_audit t using (transaction_id)
         ) n
   where d.id = n.id;
  alter table audit.ddl_audit
    alter column event drop default,
    alter column transaction_audit_id set not null,
    alter column position set not null,
    alter column message set not null,
    alter column message_time set not null,
    alter column event_time set not null,
    drop column id,
    add constraint ddl_audit_pkey primary key (transaction_audit_id, position);
  -- Reading stays allowed to whom it was; writing was allowed to the login that runs migrations, and forged rows.
  for item in
    select c.oid::regclass as tab, a.privilege_type, coalesce(quote_ident(r.rolname), 'public') as grantee
      from pg_catalog.pg_class c
     cross join lateral pg_catalog.aclexplode(c.relacl) a
      left join pg_catalog.pg_roles r on r.oid = a.grantee
     where c.oid in ('audit.transaction_audit'::regclass, 'audit.ddl_audit'::regclass)
       and a.privilege_type <> 'SELECT'
       and a.grantee <> c.relowner
  loop
    execute format('revoke %s on %s from %s', item.privilege_type, item.tab, item.grantee);
  end loop;
  for item in
    select coalesce(quote_ident(r.rolname), 'public') as grantee
      from pg_catalog.pg_namespace n
     cross join lateral pg_catalog.aclexplode(n.nspacl) a
      left join pg_catalog.pg_roles r on r.oid = a.grantee
     where n.nspname = 'audit'
       and a.privilege_type = 'CREATE'
       and a.grantee <> n.nspowner
  loop
    execute format('revoke create on schema audit from %s', item.grantee);
  end loop;
end
$$;
