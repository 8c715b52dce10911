#!/opt/schema-audit/bin/python -Iu
"""The post stage of the container action: closes the run that the main stage left open."""

from audit_action.main import post

raise SystemExit(post())
