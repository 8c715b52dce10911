"""What does GitHub know about this deployment? The only edge that talks to GitHub, through PyGithub.

PyGithub's objects fetch a missing field with a request of their own; six requests for fifty commits leave
no room for that, so reading asks for JSON and returns the records of github_facts.
"""

from audit_action.github_api.questions import GitHub

__all__ = ["GitHub"]
