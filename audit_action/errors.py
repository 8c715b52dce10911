"""Which failures are expected? Everything that derives from ActionError; anything else is a bug of ours.

ActionError
 +-- BadInput            an input or a variable that cannot be used          exit 2
 +-- NothingWasRun       the trail is missing, or delivery is impossible     exit 2
 +-- RefusedByPolicy     a policy of the workflow is not met                 exit 3
 +-- CannotComment       a comment that could not be written                 a warning

A message is prose: what happened, the likely cause, what to do.
"""

from __future__ import annotations


class ActionError(Exception):
    """An expected failure; its text is meant for the person who reads the log."""

    exit_code = 2


class BadInput(ActionError):
    """An input or an environment variable that cannot be used."""


class NothingWasRun(ActionError):
    """The migration was not started: the trail is missing, or the run could not be delivered."""


class RefusedByPolicy(ActionError):
    """The workflow's own policy is not met; the migration was not started."""

    exit_code = 3


class CannotComment(ActionError):
    """The pull-request comment could not be written; never a reason to fail the migration."""
