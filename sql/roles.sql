-- Which logins migrate and read, with the least rights that work? Run it by psql, as often as you like:
--
--     psql -v ON_ERROR_STOP=1 -v ci_role=ci_user -v reader_role=dashboard -f sql/roles.sql
--
-- ci_role         the login of the migrations: made, without a password, where it does not exist
-- reader_role     the login of dashboards and reports: the same
-- schemas         what ci_role may migrate, separated by commas; public without it
-- create_schemas  no: ci_role may not make schemas. Several tools (drizzle-kit among them) run CREATE SCHEMA IF NOT
--                 EXISTS each time, which PostgreSQL refuses without this right even where the schema exists
-- take_ownership  yes: what others own in those schemas becomes ci_role's, because only an owner may alter a table.
--                 Who owned it before keeps every right on it but this one
--
-- All or nothing. At the end it says what was done, and what every login may do in this database anyway.
\set ON_ERROR_STOP on
\set QUIET on
\if :{?ci_role}
\else
  \set ci_role ''
\endif
\if :{?reader_role}
\else
  \set reader_role ''
\endif
\if :{?schemas}
\else
  \set schemas public
\endif
\if :{?create_schemas}
\else
  \set create_schemas yes
\endif
\if :{?take_ownership}
\else
  \set take_ownership no
\endif
\pset pager off
\pset format unaligned
\pset tuples_only on

begin;
set local client_min_messages = warning;
set local search_path = pg_catalog, pg_temp;
select
  -- A block of PL/pgSQL sees no variables of psql, but settings.
  set_config('schema_audit.ci_role', :'ci_role', true),
  set_config('schema_audit.reader_role', :'reader_role', true),
  set_config('schema_audit.schemas', :'schemas', true),
  set_config('schema_audit.create_schemas', :'create_schemas', true),
  set_config('schema_audit.take_ownership', :'take_ownership', true)
\g /dev/null

create temporary table told (
  number  int  generated always as identity,
  line    text not null
) on commit drop;

-- What was asked for must make sense before anything is done.
do $$
declare
  ci_role     text := current_setting('schema_audit.ci_role');
  reader_role text := current_setting('schema_audit.reader_role');
  flag        text;
  login       text;
  missing     text;
begin
  if ci_role = '' and reader_role = '' then
    raise exception 'No login was named, so nothing was changed.'
      using hint = 'Name one or both: -v ci_role=ci_user -v reader_role=dashboard.';
  end if;
  if to_regclass('audit.migration_run') is null or to_regrole('audit_recorder') is null
     or to_regrole('audit_reader') is null
  then
    raise exception 'The trail is not in the database %, or was installed without its roles; nothing was changed.',
      current_database()
      using hint = 'Run sql/install.sql here first, as a role that may make roles.';
  end if;
  if ci_role = reader_role then
    raise exception 'The login % cannot both migrate and only read; nothing was changed.', ci_role
      using hint = 'Name two logins.';
  end if;
  foreach flag in array array['create_schemas', 'take_ownership'] loop
    if current_setting('schema_audit.' || flag) not in ('yes', 'no') then
      raise exception '% is yes or no, not %; nothing was changed.', flag, current_setting('schema_audit.' || flag);
    end if;
  end loop;
  foreach login in array array_remove(array[ci_role, reader_role], '') loop
    if exists (select from pg_roles r where r.rolname = login and r.rolsuper) then
      raise exception 'The role % is a superuser, who can do anything with the trail; nothing was changed.', login
        using hint = 'Name another login, or take it away first: alter role ' || quote_ident(login) || ' nosuperuser.';
    end if;
    if login in ('audit_owner', 'audit_recorder') or (login = 'audit_reader' and login <> reader_role) then
      raise exception 'The role % is a group of the trail itself, not a login; nothing was changed.', login;
    end if;
    if exists (
      select
        from pg_roles r
       where r.rolname = login
         and pg_has_role(r.oid, (select n.nspowner from pg_namespace n where n.nspname = 'audit'), 'member')
    ) then
      raise exception 'The role % may become the owner of the trail; nothing was changed.', login
        using hint = 'Take that away first: revoke audit_owner from ' || quote_ident(login) || '.';
    end if;
  end loop;
  select string_agg(format('"%s"', wanted), ', ')
    into missing
    from regexp_split_to_table(current_setting('schema_audit.schemas'), ',') as named
   cross join lateral trim(named) as wanted
   where ci_role <> ''
     and (
           wanted in ('audit', 'information_schema')
           or starts_with(wanted, 'pg_')
           or not exists (select from pg_namespace n where n.nspname = wanted)
         );
  if missing is not null then
    raise exception 'There is nothing to migrate in the schema %: it does not exist here, or is not yours to migrate.',
      missing
      using hint = 'Name schemas of this database as -v schemas=public,sales; nothing was changed.';
  end if;
end
$$;

-- The logins, and their part in the trail.
do $$
declare
  ci_role     text := current_setting('schema_audit.ci_role');
  reader_role text := current_setting('schema_audit.reader_role');
  login       text;
  party       text;
  given       record;
begin
  foreach login in array array_remove(array[ci_role, reader_role], '') loop
    if not exists (select from pg_roles r where r.rolname = login) then
      execute format('create role %I login', login);
      insert into told (line)
      values (format('%s is a new login. It has no password yet; set one from psql with: \password %I', login, login));
    elsif not (select r.rolcanlogin from pg_roles r where r.rolname = login) then
      execute format('alter role %I login', login);
      insert into told (line)
      values (format('%s may log in now. If it has no password, set one from psql with: \password %I', login, login));
    end if;
    execute format('grant connect on database %I to %I', current_database(), login);
    party := case login when ci_role then 'audit_recorder' else 'audit_reader' end;
    if login <> party then
      -- Only through its group; whatever it was given besides goes. What changes nothing is not said: it would be
      -- a row of the trail.
      for given in
        select 'schema audit' as thing
          from pg_namespace n
         cross join lateral aclexplode(n.nspacl) a
         where n.nspname = 'audit'
           and a.grantee = to_regrole(quote_ident(login))
        union
        select format('%s %s', case c.relkind when 'S' then 'sequence' else 'table' end, c.oid::regclass)
          from pg_class c
         cross join lateral aclexplode(c.relacl) a
         where c.relnamespace = to_regnamespace('audit')
           and a.grantee = to_regrole(quote_ident(login))
        union
        select format('routine %s', p.oid::regprocedure)
          from pg_proc p
         cross join lateral aclexplode(p.proacl) a
         where p.pronamespace = to_regnamespace('audit')
           and a.grantee = to_regrole(quote_ident(login))
      loop
        execute format('revoke all on %s from %I', given.thing, login);
      end loop;
      execute format('grant %I to %I', party, login);
    end if;
  end loop;
  if ci_role <> '' then
    insert into told (line)
    values (format('%s may begin, finish and seal migration runs and read the trail (audit_recorder).', ci_role));
  end if;
  if reader_role <> '' then
    insert into told (line)
    values (format('%s may read the trail (audit_reader), and nothing else was given to it.', reader_role));
    -- What was given to it before is not ours to take away, but to tell.
    insert into told (line)
    select format(
             '%s may read %s relations outside the trail, by grants of its own or of a group: %s%s.',
             reader_role, count(*),
             string_agg(r.identity, ', ' order by r.identity) filter (where r.place <= 3),
             case when count(*) > 3 then ', ...' else '' end
           )
      from (
        select c.oid::regclass::text as identity, row_number() over (order by c.oid::regclass::text) as place
          from pg_class c
          join pg_namespace n on n.oid = c.relnamespace
         where c.relkind in ('r', 'p', 'v', 'm', 'f')
           and n.nspname not in ('audit', 'information_schema')
           and not starts_with(n.nspname, 'pg_')
           and has_schema_privilege(reader_role, n.oid, 'usage')
           and has_table_privilege(reader_role, c.oid, 'select')
           and not exists (
             select from aclexplode(c.relacl) a where a.grantee = 0 and a.privilege_type = 'SELECT'
           )
      ) r
    having count(*) > 0;
  end if;
end
$$;

-- What the login of the migrations may migrate.
do $$
declare
  ci_role    text := current_setting('schema_audit.ci_role');
  schemas    text[] := array(
    select trim(named) from regexp_split_to_table(current_setting('schema_audit.schemas'), ',') as named
  );
  namespace  text;
  theirs     record;
  sequence   text;
begin
  if ci_role = '' then
    return;
  end if;
  foreach namespace in array schemas loop
    -- Its own grant, for PUBLIC's may be taken away.
    if (
      select count(distinct a.privilege_type) < 2
        from pg_namespace n
       cross join lateral aclexplode(n.nspacl) a
       where n.nspname = namespace
         and a.grantee = to_regrole(quote_ident(ci_role))
    ) then
      execute format('grant usage, create on schema %I to %I', namespace, ci_role);
    end if;
  end loop;
  execute format(
    case current_setting('schema_audit.create_schemas')
      when 'yes' then 'grant create on database %I to %I'
      else 'revoke create on database %I from %I'
    end,
    current_database(), ci_role
  );
  insert into told (line)
  values (
    format('%s may create in %s', ci_role, array_to_string(schemas, ', '))
    || case current_setting('schema_audit.create_schemas')
         when 'yes' then ', and make schemas of its own (-v create_schemas=no takes that away).'
         else ', and may make no schema.'
       end
  );
  create temporary table owned_by_others on commit drop as
  select
    o.oid,
    i.type,
    i.identity,
    r.rolname as owner,
    r.rolsuper as by_superuser
  from (
    select 'pg_class'::regclass as classid, c.oid, c.relnamespace as namespace, c.relowner as owner
      from pg_class c
     where c.relkind in ('r', 'p', 'v', 'm', 'f', 'c')
        or (
             c.relkind = 'S'
             -- The sequence of a column follows its table.
             and not exists (
               select
                 from pg_depend d
                where d.classid = 'pg_class'::regclass
                  and d.objid = c.oid
                  and d.refclassid = 'pg_class'::regclass
                  and d.deptype in ('a', 'i')
             )
           )
    union all
    select 'pg_proc'::regclass, p.oid, p.pronamespace, p.proowner from pg_proc p
    union all
    select 'pg_type'::regclass, t.oid, t.typnamespace, t.typowner
      from pg_type t
     where t.typtype in ('b', 'd', 'e', 'r')
       and not exists (select from pg_type e where e.typarray = t.oid)
    union all
    select 'pg_collation'::regclass, c.oid, c.collnamespace, c.collowner from pg_collation c
    union all
    select 'pg_operator'::regclass, o.oid, o.oprnamespace, o.oprowner from pg_operator o
    union all
    select 'pg_opclass'::regclass, o.oid, o.opcnamespace, o.opcowner from pg_opclass o
    union all
    select 'pg_opfamily'::regclass, o.oid, o.opfnamespace, o.opfowner from pg_opfamily o
    union all
    select 'pg_conversion'::regclass, c.oid, c.connamespace, c.conowner from pg_conversion c
    union all
    select 'pg_ts_config'::regclass, c.oid, c.cfgnamespace, c.cfgowner from pg_ts_config c
    union all
    select 'pg_ts_dict'::regclass, d.oid, d.dictnamespace, d.dictowner from pg_ts_dict d
    union all
    select 'pg_statistic_ext'::regclass, s.oid, s.stxnamespace, s.stxowner from pg_statistic_ext s
  ) o
  join pg_namespace n on n.oid = o.namespace
  join pg_roles r on r.oid = o.owner
  cross join lateral pg_identify_object(o.classid, o.oid, 0) i
  where n.nspname = any (schemas)
    -- What belongs to a role that it is a member of, it may migrate already.
    and not pg_has_role(ci_role, o.owner, 'usage')
    -- The members of an extension are the extension's.
    and not exists (
      select
        from pg_depend d
       where d.classid = o.classid
         and d.objid = o.oid
         and d.deptype = 'e'
    );
  if current_setting('schema_audit.take_ownership') = 'yes' then
    for theirs in select * from owned_by_others loop
      execute format(
        'alter %s %s owner to %I',
        case theirs.type
          when 'composite type' then 'type'
          when 'statistics object' then 'statistics'
          else theirs.type
        end,
        theirs.identity, ci_role
      );
      if not theirs.by_superuser
         and theirs.type in (
           'table', 'view', 'materialized view', 'foreign table', 'sequence', 'function', 'procedure', 'aggregate',
           'type', 'composite type'
         )
      then
        execute format(
          'grant all on %s %s to %I',
          case theirs.type
            when 'view' then 'table'
            when 'materialized view' then 'table'
            when 'foreign table' then 'table'
            when 'composite type' then 'type'
            when 'aggregate' then 'function'
            else theirs.type
          end,
          theirs.identity, theirs.owner
        );
        -- The sequence of a serial column went with its table.
        for sequence in
          select d.objid::regclass::text
            from pg_depend d
            join pg_class c on c.oid = d.objid and c.relkind = 'S'
           where d.refclassid = 'pg_class'::regclass
             and d.refobjid = theirs.oid
             and d.deptype = 'a'
        loop
          execute format('grant all on sequence %s to %I', sequence, theirs.owner);
        end loop;
      end if;
    end loop;
    insert into told (line)
    select format('%s owns now what %s owned there: %s objects.', ci_role, g.owner, count(*))
      from owned_by_others g
     group by g.owner
     order by g.owner;
  else
    insert into told (line)
    select format(
             '%s cannot alter or drop what %s owns there: %s objects (%s%s). -v take_ownership=yes hands them over%s.',
             ci_role, g.owner, count(*),
             string_agg(g.identity, ', ' order by g.identity) filter (where g.place <= 3),
             case when count(*) > 3 then ', ...' else '' end,
             case
               when g.by_superuser then ''
               else format('; grant %I to %I lets both migrate', g.owner, ci_role)
             end
           )
      from (select *, row_number() over (partition by owner order by identity) as place from owned_by_others) g
     group by g.owner, g.by_superuser
     order by g.owner;
  end if;
end
$$;

-- What every login may do here, because PUBLIC may: a REVOKE from one login does not take it away.
insert into told (line)
values ('What PUBLIC may do here every login may, these too, and a revoke from one login takes none of it away:');

with public_right as (
  select 1 as part, d.datname::text as name, a.privilege_type as privilege
    from pg_database d
   cross join lateral aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
   where d.datname = current_database()
     and a.grantee = 0
  union all
  select 2, d.datname, a.privilege_type
    from pg_database d
   cross join lateral aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
   where d.datname <> current_database()
     and d.datallowconn
     and a.privilege_type = 'CONNECT'
     and a.grantee = 0
  union all
  select 3, quote_ident(n.nspname), a.privilege_type
    from pg_namespace n
   cross join lateral aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a
   where n.nspname <> 'information_schema'
     and not starts_with(n.nspname, 'pg_')
     and a.grantee = 0
  union all
  select 4, c.oid::regclass::text, a.privilege_type
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
   cross join lateral aclexplode(c.relacl) a
   where n.nspname <> 'information_schema'
     and not starts_with(n.nspname, 'pg_')
     and a.grantee = 0
  union all
  select 5, c.oid::regclass::text || '.' || quote_ident(t.attname), a.privilege_type
    from pg_attribute t
    join pg_class c on c.oid = t.attrelid
    join pg_namespace n on n.oid = c.relnamespace
   cross join lateral aclexplode(t.attacl) a
   where n.nspname <> 'information_schema'
     and not starts_with(n.nspname, 'pg_')
     and a.grantee = 0
  union all
  select case when p.prosecdef then 6 else 7 end, p.oid::regprocedure::text, a.privilege_type
    from pg_proc p
    join pg_namespace n on n.oid = p.pronamespace
   cross join lateral aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
   where n.nspname <> 'information_schema'
     and not starts_with(n.nspname, 'pg_')
     and p.prorettype not in ('pg_catalog.trigger'::regtype, 'pg_catalog.event_trigger'::regtype)
     and a.grantee = 0
  union all
  select 8, quote_ident(s.srvname), a.privilege_type
    from pg_foreign_server s
   cross join lateral aclexplode(coalesce(s.srvacl, acldefault('S', s.srvowner))) a
   where a.grantee = 0
),
counted as (
  select part, privilege, name, count(*) over w as number, row_number() over (w order by name) as place
    from public_right
  window w as (partition by part, privilege)
)
insert into told (line)
select '  - '
       || case part
            when 1 then
              case privilege
                when 'CONNECT' then 'connect to it'
                when 'TEMPORARY' then 'make temporary tables and functions in it'
                else 'make schemas in it'
              end
            when 2 then format('connect to other databases of this server: %s (%s)', number, list)
            when 3 then format('%s schemas: %s (%s)', case privilege when 'CREATE' then 'create in' else 'use' end, number, list)
            when 4 then format('%s relations: %s (%s)', lower(privilege), number, list)
            when 5 then format('%s columns: %s (%s)', lower(privilege), number, list)
            when 6 then format('call functions that act with their owner''s rights, SECURITY DEFINER: %s (%s)', number, list)
            when 7 then format('call other functions: %s (%s)', number, list)
            when 8 then format('use foreign servers: %s (%s)', number, list)
          end
       || '; take it away: '
       || case part
            when 1 then format('revoke %s on database %I from public', lower(privilege), current_database())
            when 2 then format('revoke connect on database %I from public', first)
            when 3 then format('revoke %s on schema %s from public', lower(privilege), first)
            when 4 then format('revoke %s on %s from public', lower(privilege), first)
            when 5 then 'revoke ' || lower(privilege) || ' (column) on table ... from public'
            when 6 then format('revoke execute on function %s from public', first)
            when 7 then format('revoke execute on function %s from public', first)
            when 8 then format('revoke usage on foreign server %s from public', first)
          end
  from (
    select part, privilege, number,
           string_agg(name, ', ' order by name) filter (where place <= case when part in (3, 6) then 20 else 3 end)
             || case when number > case when part in (3, 6) then 20 else 3 end then ', ...' else '' end as list,
           min(name) as first
      from counted
     group by part, privilege, number
  ) g
 order by part, privilege;

select line from told order by number;
commit;
