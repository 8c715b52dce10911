"""Which kinds of commands can one ask for? PostgreSQL's command tags that an event trigger sees."""

from __future__ import annotations

_OBJECTS = {
    "CREATE": (
        "ACCESS METHOD, AGGREGATE, CAST, COLLATION, CONVERSION, DOMAIN, EXTENSION, FOREIGN DATA "
        "WRAPPER, FOREIGN TABLE, FUNCTION, INDEX, LANGUAGE, MATERIALIZED VIEW, OPERATOR, OPERATOR "
        "CLASS, OPERATOR FAMILY, POLICY, PROCEDURE, PUBLICATION, RULE, SCHEMA, SEQUENCE, SERVER, "
        "STATISTICS, SUBSCRIPTION, TABLE, TABLE AS, TEXT SEARCH CONFIGURATION, TEXT SEARCH "
        "DICTIONARY, TEXT SEARCH PARSER, TEXT SEARCH TEMPLATE, TRANSFORM, TRIGGER, TYPE, USER "
        "MAPPING, VIEW"
    ),
    "ALTER": (
        "AGGREGATE, COLLATION, CONVERSION, DEFAULT PRIVILEGES, DOMAIN, EXTENSION, FOREIGN DATA "
        "WRAPPER, FOREIGN TABLE, FUNCTION, INDEX, LANGUAGE, LARGE OBJECT, MATERIALIZED VIEW, "
        "OPERATOR, OPERATOR CLASS, OPERATOR FAMILY, POLICY, PROCEDURE, PUBLICATION, ROUTINE, "
        "RULE, SCHEMA, SEQUENCE, SERVER, STATISTICS, SUBSCRIPTION, TABLE, TEXT SEARCH "
        "CONFIGURATION, TEXT SEARCH DICTIONARY, TEXT SEARCH PARSER, TEXT SEARCH TEMPLATE, "
        "TRIGGER, TYPE, USER MAPPING, VIEW"
    ),
    "DROP": (
        "ACCESS METHOD, AGGREGATE, CAST, COLLATION, CONVERSION, DOMAIN, EXTENSION, FOREIGN DATA "
        "WRAPPER, FOREIGN TABLE, FUNCTION, INDEX, LANGUAGE, MATERIALIZED VIEW, OPERATOR, OPERATOR "
        "CLASS, OPERATOR FAMILY, OWNED, POLICY, PROCEDURE, PUBLICATION, ROUTINE, RULE, SCHEMA, "
        "SEQUENCE, SERVER, STATISTICS, SUBSCRIPTION, TABLE, TEXT SEARCH CONFIGURATION, TEXT "
        "SEARCH DICTIONARY, TEXT SEARCH PARSER, TEXT SEARCH TEMPLATE, TRANSFORM, TRIGGER, TYPE, "
        "USER MAPPING, VIEW"
    ),
}
_ALONE = (
    "COMMENT",
    "GRANT",
    "IMPORT FOREIGN SCHEMA",
    "REFRESH MATERIALIZED VIEW",
    "REINDEX",
    "REVOKE",
    "SECURITY LABEL",
    "SELECT INTO",
)

VERBS = tuple(_OBJECTS)
TAGS = (
    *(f"{verb} {thing}" for verb, things in _OBJECTS.items() for thing in things.split(", ")),
    *_ALONE,
)
"""The event trigger firing matrix of PostgreSQL 18 (src/include/tcop/cmdtaglist.h)."""

COMMON = (
    "CREATE TABLE",
    "ALTER TABLE",
    "DROP TABLE",
    "CREATE INDEX",
    "DROP INDEX",
    "CREATE VIEW",
    "CREATE FUNCTION",
    "CREATE TRIGGER",
    "CREATE POLICY",
    "CREATE TYPE",
    "GRANT",
    "REVOKE",
    "COMMENT",
)
"""Offered first; every other tag can be typed into the address."""


def tags_of(kind: str) -> tuple[str, ...]:
    """The tags of a kind: all that begin with a verb, or the one tag itself, in any case of letters.

    >>> "DROP VIEW" in tags_of("drop"), tags_of("Grant")
    (True, ('GRANT',))
    """
    wanted = kind.upper()
    if wanted in VERBS:
        return tuple(each for each in TAGS if each.startswith(f"{wanted} "))
    return (wanted,)
