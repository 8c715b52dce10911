-- Whether the person and the environment behind an event h of audit.history are wanted.
(not %(manual)s or h.run_id is null)
and (%(environment)s::text is null or h.environment = %(environment)s)
and (
  %(person)s::text is null
  or h.application_user_name = %(person)s
  or h.application_user_email = any (%(emails)s)
  or h.actor = %(person)s
  or h.triggering_actor = %(person)s
  or (h.authors || h.mergers || h.reviewers || h.approvers) @> any ({person})
)
