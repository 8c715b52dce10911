"""What does `schema-audit demo` bring along? A throw-away PostgreSQL, and what is needed to show the flow."""
