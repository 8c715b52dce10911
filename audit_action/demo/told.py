"""Which things does a told repository hold? Accounts, commits, pull requests, runs and comments."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

GITHUB = ("GitHub", "noreply@github.com")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account: `type` is User, Bot or Mannequin; `login` of a bot is without `[bot]`."""

    login: str
    id: int
    name: str = ""
    email: str = ""
    type: str = "User"
    claimant: Account | None = None

    @property
    def rest_login(self) -> str:
        """REST shows bots as `name[bot]`."""
        return f"{self.login}[bot]" if self.type == "Bot" else self.login

    @property
    def noreply(self) -> str:
        """The address that hides the account's own."""
        return f"{self.id}+{self.rest_login}@users.noreply.github.com"


WEB_FLOW = Account(login="web-flow", id=19864447, name="GitHub", email="noreply@github.com")
MERGE_QUEUE_BOT = Account(login="github-merge-queue", id=118344674, type="Bot")
ACTIONS_BOT = Account(login="github-actions", id=41898282, type="Bot")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One commit. `author` and `committer` are name and e-mail; accounts are found by the e-mail."""

    sha: str
    message: str
    author: tuple[str, str]
    committer: tuple[str, str]
    at: datetime
    parents: tuple[str, ...] = ()
    signature: str = ""  # GraphQL's GitSignatureState; empty: unsigned

    @property
    def on_the_web(self) -> bool:
        """Made by GitHub itself."""
        return self.committer == GITHUB


@dataclass(slots=True, kw_only=True)
class ReviewTold:
    """One review as it stands now."""

    id: int
    by: Account | None
    state: str
    at: datetime
    commit: str
    can_write: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """One item of a pull request's timeline; `type` is GraphQL's type name."""

    type: str
    at: datetime
    actor: Account | None
    subject: Account | None = None  # enqueuer or enabler
    review: int | None = None


@dataclass(slots=True, kw_only=True)
class Pull:
    """One pull request; `commits` are its own, `landed` those that a rebase made of them."""

    number: int
    title: str
    author: Account | None
    head: str
    base: str = "main"
    repository: str = ""
    commits: list[str] = field(default_factory=list)
    landed: list[str] = field(default_factory=list)
    reviews: list[ReviewTold] = field(default_factory=list)
    timeline: list[Happened] = field(default_factory=list)
    merge: str = ""
    merged_at: datetime | None = None
    merged_by: Account | None = None
    later_head: str = ""  # the branch went on after the merge
    locked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """A deployment of an environment."""

    sha: str
    environment: str
    state: str = "ACTIVE"
    run_id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """A workflow run; `attempts` names who started each one."""

    id: int
    sha: str
    workflow: str = "migrate.yml"
    branch: str = "main"
    event: str = "push"
    status: str = "success"
    attempts: tuple[Account, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """Somebody let a run into environments."""

    run_id: int
    by: Account
    environments: tuple[str, ...]
    state: str = "approved"
    comment: str = ""


@dataclass(slots=True, kw_only=True)
class Comment:
    """A comment on a pull request."""

    id: int
    pull: int
    by: Account
    body: str
    at: datetime
