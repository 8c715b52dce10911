"""How does one look at a trail? GET-only pages over audit.history, one database or many."""
