#!/opt/schema-audit/bin/python -Iu
"""The container's first process. Isolated (-I): nothing is imported from the checkout."""

from audit_action.main import main

raise SystemExit(main())
