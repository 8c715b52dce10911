-- Whether an event h of audit.history is wanted, as far as the event and its transaction tell.
(
  %(longest)s::text is null
  or (h.query_text ilike %(longest)s and h.query_text ilike all (%(words)s::text[]))
  or (h.statement_text ilike %(longest)s and h.statement_text ilike all (%(words)s::text[]))
)
and (
  %(objects)s::text[] is null
  or h.object_identity = any (%(objects)s)
  or h.previous_identity = any (%(objects)s)
  or ({owned} and {owner} = any (%(objects)s))
)
and (%(tags)s::text[] is null or h.command_tag = any (%(tags)s))
and (not %(destructive)s or {loses_data} or (%(truncates)s and h.query_text ~* '\mtruncate\M'))
and (%(database_user)s::text is null or h.database_user = %(database_user)s)
and (%(delivery)s::text is null or h.delivery = %(delivery)s)
and (%(since)s::timestamptz is null or h.transaction_start >= %(since)s)
and (%(until)s::timestamptz is null or h.transaction_start < %(until)s)
and (%(source)s::text is null or {source} = %(source)s)
