-- Whether something that was stored went with the event h: what the report calls destructive.
(
  h.event = 'drop'
  and h.object_type in ('table', 'table column', 'schema', 'sequence')
  and (h.original or h.object_type in ('table', 'table column'))
)
