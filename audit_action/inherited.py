"""What had the user set, apart from what an earlier use of the action in the same job exported?"""

from __future__ import annotations

import re

_ARGUMENT = re.compile(r"(?:\\.|[^\\\s])+", re.DOTALL)  # pg_split_opts() in src/backend/utils/init/postinit.c
_OURS = re.compile(
    r"audit\.(?:authors|commit|merger|pull_requests|reviewers|run_id|run_url|user_email|user_name)="
)
_RUN = re.compile(r"schema-audit/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12} ?")


def pgoptions_of_the_user(pgoptions: str) -> str:
    r"""PGOPTIONS without the settings of another run; unchanged where there are none.

    >>> pgoptions_of_the_user(r"-c search_path=a\ b -c audit.run_id=7 -c audit.user_name=Ada\ Lovelace")
    '-c search_path=a\\ b'
    """
    arguments = _ARGUMENT.findall(pgoptions)
    kept: list[str] = []
    for argument in arguments:
        if kept and kept[-1] == "-c" and _OURS.match(argument):
            kept.pop()
        else:
            kept.append(argument)
    return pgoptions if len(kept) == len(arguments) else " ".join(kept)


def pgappname_of_the_user(pgappname: str) -> str:
    """PGAPPNAME without the name of another run.

    >>> pgappname_of_the_user("schema-audit/0dae5f75-2da0-4376-bf05-0d9f6088314e worker")
    'worker'
    """
    return _RUN.sub("", pgappname, count=1) if _RUN.match(pgappname) else pgappname
