-- What was an object called before, and what did a GRANT name? PostgreSQL tells neither to an event trigger.

-- The name of an object, qualified and quoted as in its identity, as the caller's snapshot sees the catalog.
create or replace function audit.object_name(classid oid, objid oid, objsubid int)
  returns text
  stable
  language plpgsql
as $function$
declare
  name text;
  -- The columns of the catalogs whose objects can be renamed or moved, besides pg_class.
  name_column constant jsonb := '{
    "pg_type": ["typname", "typnamespace"], "pg_proc": ["proname", "pronamespace"],
    "pg_operator": ["oprname", "oprnamespace"], "pg_opclass": ["opcname", "opcnamespace"],
    "pg_opfamily": ["opfname", "opfnamespace"], "pg_collation": ["collname", "collnamespace"],
    "pg_conversion": ["conname", "connamespace"], "pg_ts_config": ["cfgname", "cfgnamespace"],
    "pg_ts_dict": ["dictname", "dictnamespace"], "pg_ts_parser": ["prsname", "prsnamespace"],
    "pg_ts_template": ["tmplname", "tmplnamespace"], "pg_statistic_ext": ["stxname", "stxnamespace"],
    "pg_namespace": ["nspname"], "pg_constraint": ["conname"], "pg_trigger": ["tgname"], "pg_policy": ["polname"],
    "pg_rewrite": ["rulename"], "pg_language": ["lanname"], "pg_foreign_server": ["srvname"],
    "pg_foreign_data_wrapper": ["fdwname"], "pg_publication": ["pubname"], "pg_subscription": ["subname"]
  }';
  catalog text;
  columns jsonb;
begin
  if classid = 'pg_class'::regclass then
    select quote_ident(n.nspname) || '.' || quote_ident(c.relname) || coalesce('.' || quote_ident(a.attname), '')
      into name
      from pg_class c
      join pg_namespace n on n.oid = c.relnamespace
      left join pg_attribute a on a.attrelid = c.oid and a.attnum = objsubid and objsubid > 0
     where c.oid = objid;
    return name;
  end if;
  catalog := classid::regclass::text;
  columns := name_column -> catalog;
  if columns is null then
    return null;
  end if;
  if jsonb_array_length(columns) = 2 then
    execute format(
      'select quote_ident(n.nspname) || ''.'' || %s from %s o join pg_namespace n on n.oid = o.%s where o.oid = $1',
      case catalog when 'pg_operator' then 'o.oprname' else 'quote_ident(o.' || (columns ->> 0) || ')' end,
      catalog,
      columns ->> 1
    ) into name using objid;
  else
    execute format('select quote_ident(o.%s) from %s o where o.oid = $1', columns ->> 0, catalog)
      into name using objid;
  end if;
  return name;
end
$function$;

-- The same, as the catalog stands now, whatever the caller's snapshot: a volatile function takes a new one.
create or replace function audit.object_name_now(classid oid, objid oid, objsubid int)
  returns text
  volatile
  language plpgsql
as $function$
begin
  return audit.object_name(classid, objid, objsubid);
end
$function$;

-- The identity that an object had before the command that is just ending, or null when it kept its own. To be called
-- from a trigger function that is stable, and so reads the catalog as it was.
create or replace function audit.previous_identity(classid oid, objid oid, objsubid int, identity text)
  returns text
  stable
  language plpgsql
as $function$
declare
  old text := audit.object_name(classid, objid, objsubid);
  new text;
begin
  if old is null or old = identity then
    return null;
  end if;
  if classid = 'pg_class'::regclass then
    return old;
  end if;
  new := audit.object_name_now(classid, objid, objsubid);
  if old = new then
    return null;
  end if;
  -- A function's arguments, a trigger's table: what follows the name in an identity stays.
  return old || case when starts_with(identity, new) then substr(identity, length(new) + 1) else '' end;
end
$function$;

-- A name as it is stored, from how it is written.
create or replace function audit.unquoted(name text)
  returns text
  immutable
  language sql
as $function$
  select case when name like '"%' then replace(substr(name, 2, length(name) - 2), '""', '"') else name end
$function$;

-- What a GRANT, REVOKE or ALTER DEFAULT PRIVILEGES names: one row an object, or one for a whole class of them.
create or replace function audit.granted_objects(statement text)
  returns table (schema_name text, object_identity text)
  stable
  language plpgsql
as $function$
declare
  words  text[] := '{}';  -- of the statement, without comments; what stands in parentheses is one word
  word   text;
  depth  int := 0;
  first  int;
  last   int;
  kind   text;
  object text;
begin
  for word in select t from audit.tokens(statement) t loop
    continue when word ~ '^([[:space:]]+|--.*|/[*].*)$';
    if depth > 0 or word = '(' then
      depth := depth + case word when '(' then 1 when ')' then -1 else 0 end;
      words[cardinality(words)] := coalesce(words[cardinality(words)], '') || case
        when word = ',' then ', '
        else word
      end;
    elsif cardinality(words) > 0 and (word = '.' or words[cardinality(words)] like '%.') then
      words[cardinality(words)] := words[cardinality(words)] || word;
    else
      words := words || case when word ~ '^[[:alpha:]_]' then lower(word) else word end;
    end if;
  end loop;
  first := array_position(words, 'on');
  if first is null then
    return;
  end if;
  last := coalesce(
    array_position(words, case when 'revoke' = any (words[1:first]) then 'from' else 'to' end, first),
    cardinality(words) + 1
  );
  if words[1] = 'alter' then
    -- alter default privileges for role r in schema s grant select on tables to u
    schema_name := case
      when words[array_position(words, 'schema') + 2] in ('grant', 'revoke') then
        audit.unquoted(words[array_position(words, 'schema') + 1])
    end;
    object_identity := array_to_string(
      words[2:coalesce(array_position(words, 'grant'), array_position(words, 'revoke')) - 1] || words[first:last - 1], ' '
    );
    return next;
    return;
  end if;
  words := words[first + 1:last - 1];
  if words[1] = 'all' then
    -- all tables in schema s, t: one row a schema
    kind := array_to_string(words[1:array_position(words, 'schema')], ' ');
    foreach object in array words[array_position(words, 'schema') + 1:] loop
      continue when object = ',';
      schema_name := audit.unquoted(object);
      object_identity := kind || ' ' || object;
      return next;
    end loop;
    return;
  end if;
  kind := 'table';
  if words[1:2] = array['large', 'object'] or words[1:2] = array['foreign', 'server'] then
    kind := words[1] || ' ' || words[2];
    words := words[3:];
  elsif words[1:3] = array['foreign', 'data', 'wrapper'] then
    kind := 'foreign data wrapper';
    words := words[4:];
  elsif words[1] in (
    'table', 'sequence', 'function', 'procedure', 'routine', 'schema', 'type', 'domain', 'language', 'database',
    'tablespace', 'parameter'
  ) and cardinality(words) > 1 and words[2] <> ',' then
    kind := words[1];
    words := words[2:];
  end if;
  foreach object in array words loop
    continue when object = ',';
    if kind in ('table', 'sequence') and object !~ '[.]' then
      object := coalesce(audit.granted_relation(object), object);
    end if;
    schema_name := audit.unquoted(case
      when kind = 'schema' then object
      else substring(object from '^("(?:[^"]|"")+"|[^".(]+)[.]')
    end);
    object_identity := object;
    return next;
  end loop;
end
$function$;

-- The qualified name of a relation that a GRANT named without its schema: the only one of that name, or the only one
-- that this transaction touched. The session's own search_path cannot be seen from here.
create or replace function audit.granted_relation(name text)
  returns text
  volatile
  language plpgsql
as $function$
declare
  found text[];
begin
  select array_agg(quote_ident(n.nspname) || '.' || quote_ident(c.relname))
    into found
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
   where c.relname = audit.unquoted(name)
     and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
     and n.nspname not in ('pg_toast', 'information_schema');
  if cardinality(found) = 1 then
    return found[1];
  end if;
  select array_agg(quote_ident(n.nspname) || '.' || quote_ident(c.relname))
    into found
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
   where c.relname = audit.unquoted(name)
     and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
     and age(c.xmin) <= age(pg_current_xact_id()::xid);
  return case when cardinality(found) = 1 then found[1] end;
end
$function$;

-- The statement of the GRANT, REVOKE or ALTER DEFAULT PRIVILEGES that is just ending. In a message of many statements
-- they come one after the other: the first that ends puts the others aside, and each takes the next.
create or replace function audit.grant_statement()
  returns text
  volatile
  language plpgsql
as $function$
declare
  message    text := current_query();
  statement  text := '';
  statements text[] := '{}';
  token      text;
  -- What is put aside would have to be looked for, among what others put aside.
  divided    boolean := current_setting('transaction_isolation') = 'serializable';
  ended      boolean := false;  -- something ended after a GRANT; if another follows, they are divided
begin
  if strpos(message, ';') = 0 then
    return message;
  end if;
  if not divided then
    delete from audit.pending_grant p
     where p.transaction_id = txid_current()
       and p.message_time = statement_timestamp()
       and p.number = (
             select min(n.number)
               from audit.pending_grant n
              where n.transaction_id = txid_current()
                and n.message_time = statement_timestamp()
           )
    returning p.statement_text into statement;
    if found then
      return statement;
    end if;
  end if;
  statement := '';
  for token in select t from audit.tokens(message) t union all select ';' loop
    if token <> ';' then
      statement := statement || case when token ~ '^(--|/[*])' then ' ' else token end;
      continue;
    end if;
    if statement ~* $re$^\s*(commit|end|rollback|abort|prepare)\y$re$ then
      ended := cardinality(statements) > 0;
    elsif statement ~* $re$^\s*(grant|revoke|alter\s+default\s+privileges)\y.*\yon\y$re$
       and statement !~* $re$\yon\s+(database|tablespace|parameter)\s$re$
    then
      statements := statements || statement;
      divided := divided or ended;
    end if;
    statement := '';
  end loop;
  if cardinality(statements) > 1 and divided then
    -- A transaction or savepoint that ends takes its place in the line with it.
    return null;
  end if;
  insert into audit.pending_grant (transaction_id, message_time, number, statement_text)
  select txid_current(), statement_timestamp(), g.number, g.statement
    from unnest(statements) with ordinality as g (statement, number)
   where g.number > 1;
  return statements[1];
end
$function$;
