"""Which commits and people are behind this run? Asks GitHub and git, in order, and never takes long."""

from audit_action.attribute.commits import LocalGit
from audit_action.attribute.people import find_people
from audit_action.explain import explain

__all__ = ["LocalGit", "explain", "find_people"]
