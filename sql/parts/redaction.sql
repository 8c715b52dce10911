-- What must not be stored? Passwords, tokens and connection strings are masked before a text reaches a table.

-- Splits statements into tokens the way PostgreSQL's own scanner does (scan.l): words, literals, quoted names,
-- comments, dollar-quoted bodies, white space. Joined, the tokens are the text again.
create or replace function audit.tokens(statement text)
  returns setof text
  stable
  language plpgsql
as $function$
declare
  plain_literal constant text := case
    when current_setting('standard_conforming_strings') = 'on' then $re$'(?:[^']|'')*'$re$
    else $re$'(?:[^'\\]|\\.|'')*'$re$
  end;
  comment  constant text := $re$/\*(?:[^*/]|\*(?!/)|/(?!\*))*\*/$re$;
  -- Whatever hides other tokens: literals, quoted names, comments (one inside another, twice).
  opaque   constant text := $re$[eE]'(?:[^'\\]|\\.|'')*'|[uU]&'(?:[^']|'')*'|$re$ || plain_literal
    || $re$|"(?:[^"]|"")*"|--[^\n]*|/\*(?:[^*/]|\*(?!/)|/(?!\*)|$re$ || comment || $re$)*\*/$re$;
  -- A name begins with a letter, an underscore or anything beyond ASCII, and goes on with digits and dollars too.
  letter   constant text := $re$[^\x01-\x40\x5b-\x5e\x60\x7b-\x7f]$re$;
  further  constant text := $re$[^\x01-\x23\x25-\x2f\x3a-\x40\x5b-\x5e\x60\x7b-\x7f]$re$;
  token    constant text := opaque || '|' || letter || further || $re$*|[0-9]+|\s+|:=|=>|.$re$;
  -- Text in which everything opaque has an end.
  closed   constant text := '^(?:' || opaque || $re$|[^'"/-]|-(?!-)|/(?!\*))*$re$ || '$';
  tag      constant text := '[$](?:' || letter || '(?:(?![$])' || further || ')*)?[$]';
  pieces   text[];
  tags     text[];
  code     text;
  opened   text;
  body     text;
begin
  if strpos(statement, '$') = 0 then
    return query select m[1] from regexp_matches(statement, '(' || token || ')', 'g') m;
    return;
  end if;
  pieces := regexp_split_to_array(statement, tag);
  tags := array(select m[1] from regexp_matches(statement, '(' || tag || ')', 'g') m);
  code := pieces[1];
  for i in 1 .. cardinality(tags) loop
    if body is not null then
      if tags[i] = opened then
        return next body || opened;
        body := null;
        code := pieces[i + 1];
      elsif starts_with(pieces[i + 1], substr(opened, 2)) then
        -- $$ a$b$$: the last dollar sign of what looked like a tag begins the one that closes.
        return next body || left(tags[i], -1) || opened;
        body := null;
        code := substr(pieces[i + 1], length(opened));
      else
        body := body || tags[i] || pieces[i + 1];
      end if;
    elsif code ~ closed and code !~ (further || '$') then
      return query select m[1] from regexp_matches(code, '(' || token || ')', 'g') m;
      opened := tags[i];
      body := opened || pieces[i + 1];
    else
      -- A dollar sign inside a literal, a comment or a name opens nothing.
      code := code || tags[i] || pieces[i + 1];
    end if;
  end loop;
  if body is not null then
    return next body;
  else
    return query select m[1] from regexp_matches(code, '(' || token || ')', 'g') m;
  end if;
end
$function$;

-- Masks what looks like a secret inside a value: password=... of a connection string, the password of a URL.
create or replace function audit.redact_value(value text)
  returns text
  immutable
  language sql
as $function$
  select regexp_replace(
    regexp_replace(
      value,
      $re$((?:password|passwd|pwd|secret|token|api_?key)\s*=\s*)(?:'[^']*'|[^\s'"&]+)$re$, $re$\1<redacted>$re$, 'gi'
    ),
    $re$(://[^:/@\s'"]*:)[^@\s'"]+@$re$, $re$\1<redacted>@$re$, 'g'
  )
$function$;

-- The statements of one message with their secrets masked; everything else stays as it was written.
create or replace function audit.redact(statement text, depth int default 0)
  returns text
  stable
  language plpgsql
as $function$
declare
  secret_word  constant text := '(password|passwd|pwd|secret|token|api_?key|credential|conninfo)';
  -- Options that say where and as whom, and open no door.
  harmless     constant text[] := array[
    'host', 'hostaddr', 'port', 'dbname', 'user', 'username', 'schema_name', 'table_name', 'column_name', 'type', 'version'
  ];
  mask         constant text := '''<redacted>''';
  result       text[] := '{}';
  plain        int[] := '{}';  -- where in the result a literal stands that names no secret itself
  token        text;
  word         text;           -- the token, if it is a word or a quoted name
  before       text := '';     -- the last token that is no space and no comment, in lower case
  before_that  text := '';
  head         text := '';     -- the first words of this statement
  exposed      boolean := false;
  inner_text   text;
  quote        text;
begin
  if depth > 4 then
    return '<redacted>';
  end if;
  for token in select t from audit.tokens(statement) t loop
    if token ~ '^[[:space:]]+$' then
      result := result || token;
      continue;
    elsif token ~ '^(--|/[*])' then
      if token ~* secret_word then
        token := left(token, 2) || audit.redact(substr(token, 3), depth + 1);
      end if;
      result := result || token;
      continue;
    elsif token = ';' then
      head := '';
      before := '';
      before_that := '';
      result := result || token;
      continue;
    end if;
    if token ~ '^([eE]|[uU]&)?''|^[$].*[$]$' and length(token) > 1 then
      if before = '<masked>'
         or before ~ '^(password|connection)$'
         or before_that ~ secret_word and before in ('=', ':=', '=>', 'to', ',')
         or before ~ secret_word and head ~ '^(create|alter) (user mapping|server|foreign data|subscription)'
         or head ~ '^(create|alter) (user mapping|server|foreign data)' and before <> all (harmless)
      then
        token := mask;
        before_that := before;
        before := '<masked>';
      else
        before_that := before;
        before := lower(token);
        if token ~* (secret_word || '|://') then
          quote := case when token like '$%' then substring(token from '^[$][^$]*[$]') else '''' end;
          inner_text := substr(token, strpos(token, quote) + length(quote));
          inner_text := left(inner_text, -length(quote));
          if quote = '''' then
            inner_text := replace(replace(inner_text, $re$\'$re$, ''''), '''''', '''');
          end if;
          -- A statement that is put together here takes its secret from another literal nearby.
          exposed := exposed or inner_text ~* (secret_word || $re$[\s"']*((=|to|:=)[\s"']*)?(%|$)$re$);
          if quote = '''' then
            inner_text := audit.redact_value(inner_text);
          end if;
          inner_text := audit.redact(inner_text, depth + 1);
          if quote = '''' then
            inner_text := replace(inner_text, '''', '''''');
          end if;
          token := substring(token from '^(?:[eE]|[uU]&)?') || quote || inner_text || quote;
        else
          if token not like '$%' or depth > 0 then
            plain := plain || cardinality(result) + 1;
          end if;
        end if;
      end if;
    else
      word := lower(case when token like '"%' then trim(both '"' from token) else token end);
      if token ~ '^[[:alpha:]_"]' and length(head) < 40 then
        head := head || case when head = '' then '' else ' ' end || word;
      end if;
      before_that := before;
      before := word;
    end if;
    result := result || token;
  end loop;
  if exposed then
    for i in 1 .. cardinality(plain) loop
      result[plain[i]] := mask;
    end loop;
  end if;
  return array_to_string(result, '');
end
$function$;

comment on function audit.tokens(text) is
  'The tokens of some statements, as the server''s own scanner would cut them. Joined, they are the text again.';
comment on function audit.redact_value(text) is
  'A value with the secrets of connection strings and URLs masked.';
comment on function audit.redact(text, int) is
  'The statements of one message with their secrets masked; everything else stays as it was written.';
