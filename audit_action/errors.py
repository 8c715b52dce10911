"""Which failures are expected? Everything that derives from ActionError; anything else is a bug of ours.

ActionError
 +-- BadInput            an input or a variable that cannot be used          exit 2
 +-- NothingWasRun       the trail is missing, or delivery is impossible     exit 2
 +-- TrailError          the trail could not be read or written          exit 2; a warning after the migration
 +-- RefusedByPolicy     a policy of the workflow is not met                 exit 3
 +-- Interrupted         SIGINT or SIGTERM before the migration started      exit 128 + n
 +-- CannotComment       a comment that could not be written                 a warning
      +-- CommentTooLong GitHub does not take a comment of that length       a shorter one is written

A message is prose: what happened, the likely cause, what to do.
"""

from __future__ import annotations

from signal import Signals


class ActionError(Exception):
    """An expected failure; its text is meant for the person who reads the log."""

    exit_code = 2


class BadInput(ActionError):
    """An input or an environment variable that cannot be used."""


class NothingWasRun(ActionError):
    """The migration was not started: the trail is missing, or the run could not be delivered."""


class TrailError(ActionError):
    """The trail could not be read or written. After the migration this is a warning, never its verdict."""


class CannotConnect(TrailError):
    """No session with the database could be had."""


class RefusedByPolicy(ActionError):
    """The workflow's own policy is not met; the migration was not started."""

    exit_code = 3


class Interrupted(ActionError):
    """SIGINT or SIGTERM came before the migration was started; `exit_code` is 128 + the signal's number."""

    def __init__(self, number: Signals) -> None:
        super().__init__(f"{number.name} arrived before the migration was started: nothing was run.")
        self.exit_code = 128 + number


class CannotComment(ActionError):
    """The pull-request comment could not be written; never a reason to fail the migration."""


class CommentTooLong(CannotComment):
    """GitHub does not take a comment of that length; a shorter one may do."""
