-- Is there a message with a TRUNCATE? It leaves no event. Where words are not indexed it is not looked for here.
select
  not %(words_indexed)s
  or exists (
    select
    from audit.history h
    where h.query_text ilike '%%truncate%%'
  ) as yes;
