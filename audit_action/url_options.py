"""How does a connection string carry startup options? Found where they are, and more put behind them.

A client that finds options in its connection string does not look at PGOPTIONS (measured for every client
that reads both), so where there are some, ours must stand behind them.
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

# R2DBC has a grammar of its own for `options`, and prisma+postgres:// is no connection to a server.
_POSTGRES = re.compile(r"\s*(?!r2dbc:|prisma\+)[a-z][\w+.:-]*:", re.IGNORECASE)
_NAMED = re.compile(r"pg|postg|psql|cockroach", re.IGNORECASE)
_LIBPQ_KEYS = frozenset(
    {"application_name", "dbname", "host", "options", "password", "port", "sslmode", "user"}
)
_PAIR = re.compile(r"\b(\w+)\s*=\s*('(?:\\.|[^'\\])*'|(?:\\.|[^\s\\])*)", re.DOTALL)


def takes_options(connection: str) -> bool:
    """Whether options can be added to this: a URL for Postgres, JDBC's too, or libpq's keys and values.

    >>> takes_options("jdbc:postgresql://db/shop"), takes_options("mysql://db/shop")
    (True, False)
    """
    if scheme := _POSTGRES.match(connection):
        return bool(_NAMED.search(scheme[0]))
    return "://" not in connection and bool(_PAIR.search(connection))


def options_of(connection: str) -> str | None:
    """The options that the connection string brings, decoded; None: none, and PGOPTIONS counts.

    The last one counts where there are several, as in libpq.

    >>> options_of("postgres://h/d?options=endpoint%3De&sslmode=require")
    'endpoint=e'
    """
    if not _POSTGRES.match(connection):
        pairs = [value for key, value in _PAIR.findall(connection) if key == "options"]
        return _unquoted(pairs[-1]) if pairs else None
    found = [value for key, value in map(_pair, _parameters(connection)) if key == "options"]
    return unquote(found[-1]) if found else None


def with_options(connection: str, options: str) -> str:
    """The connection string with `options` behind those it has, or as its only ones; the rest as it was.

    A space is written as %20, never as `+`: libpq, tokio-postgres and ActiveRecord take that for a plus sign
    (measured).

    >>> with_options("postgres://u:p@h/d?sslmode=require", "-c a.b=c")
    'postgres://u:p@h/d?options=-c%20a.b%3Dc&sslmode=require'
    """
    if not _POSTGRES.match(connection):
        return _with_pair(connection, options)
    head, query, fragment = _cut(connection)
    ours = quote(options, safe="")
    parameters = query.split("&") if query else []
    if options_of(connection) is None:
        parameters.insert(0, f"options={ours}")
    else:
        parameters = [
            f"{each}{'%20' if _pair(each)[1] else ''}{ours}" if _pair(each)[0] == "options" else each
            for each in parameters
        ]
    return f"{head}?{'&'.join(parameters)}{fragment}"


def as_libpq(connection: str, beside: str) -> str:
    """The same server and database in libpq's words, to be tried: a JDBC or SQLAlchemy URL as a plain one.

    A login that it does not bring is taken from `beside`, as tools take it from variables of their own.
    Parameters that libpq does not know are left out.

    >>> as_libpq("jdbc:postgresql://db/shop?options=x&ssl=true", "postgres://ci:pw@db/shop")
    'postgresql://ci:pw@db/shop?options=x'
    """
    if not _POSTGRES.match(connection):
        return connection
    head, query, _ = _cut(connection)
    # pgjdbc takes jdbc:postgresql:name too, for a database on this machine.
    place = head.partition("://")[2] if "://" in head else "/" + head.rpartition(":")[2]
    known = [each for each in query.split("&") if _pair(each)[0] in _LIBPQ_KEYS]
    if "@" not in place and not any(_pair(each)[0] == "user" for each in known):
        login = re.match(r"[^/]*://([^@/]*@)", beside)
        place = (login[1] if login else "") + place
    return f"postgresql://{place}" + (f"?{'&'.join(known)}" if known else "")


def _cut(url: str) -> tuple[str, str, str]:
    """What stands before the query, the query, and the fragment with its `#`.

    Libpq ends the userinfo at the first `@` before any slash, so that a password may hold a question mark
    (conninfo_uri_parse_options() in src/interfaces/libpq/fe-connect.c); JDBC knows no userinfo.
    """
    start = 0
    if not url.lstrip().lower().startswith("jdbc:"):
        userinfo = re.match(r"[^:]*://[^@/]*@", url)
        start = userinfo.end() if userinfo else 0
    mark = url.find("?", start)
    if mark < 0:
        return url, "", ""
    query, hash_mark, fragment = url[mark + 1 :].partition("#")
    return url[:mark], query, hash_mark + fragment


def _parameters(url: str) -> list[str]:
    return _cut(url)[1].split("&")


def _pair(parameter: str) -> tuple[str, str]:
    key, _, value = parameter.partition("=")
    return unquote(key), value


def _with_pair(connection: str, options: str) -> str:
    """Libpq's pairs of key and value: quotes around, a backslash before a quote or a backslash."""
    found = options_of(connection)
    joined = f"{found} {options}" if found else options
    quoted = "'" + re.sub(r"(['\\])", r"\\\1", joined) + "'"
    if found is None:
        return f"{connection.rstrip()} options={quoted}"
    return _PAIR.sub(lambda match: f"options={quoted}" if match[1] == "options" else match[0], connection)


def _unquoted(value: str) -> str:
    inner = value[1:-1] if len(value) > 1 and value[0] == value[-1] == "'" else value
    return re.sub(r"\\(.)", r"\1", inner, flags=re.DOTALL)
