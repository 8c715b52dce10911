"""What happened in a repository? Told step by step: a `World` keeps what GitHub would show of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from audit_action.demo.told import (
    ACTIONS_BOT,
    GITHUB,
    Account,
    Approval,
    Change,
    Comment,
    Deployed,
    Happened,
    Pull,
    Ran,
    ReviewTold,
)


class World:
    """One repository. Time goes on by a minute with each thing that is told."""

    def __init__(self, repository: str, *accounts: Account, viewer: Account = ACTIONS_BOT) -> None:
        self.repository = repository
        self.viewer = viewer
        self.accounts = {each.email.casefold(): each for each in accounts if each.email}
        self.accounts |= {each.noreply.casefold(): each for each in accounts}
        self.changes: dict[str, Change] = {}
        self.pulls: dict[int, Pull] = {}
        self.deployments: list[Deployed] = []  # oldest first
        self.runs: list[Ran] = []
        self.approvals: list[Approval] = []
        self.comments: list[Comment] = []
        self.now = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
        self._next_id = 1000

    def tick(self, minutes: float = 1) -> datetime:
        """Let time go on."""
        self.now += timedelta(minutes=minutes)
        return self.now

    def new_id(self) -> int:
        """A number that nothing else has."""
        self._next_id += 1
        return self._next_id

    def account_of(self, email: str) -> Account | None:
        """Whose address it is."""
        return self.accounts.get(email.casefold())

    def commit(
        self,
        author: Account | tuple[str, str],
        message: str,
        *parents: str,
        committer: Account | tuple[str, str] | None = None,
        signature: str = "",
    ) -> str:
        """Somebody commits; the new object name."""
        by = _signed(author)
        committed = _signed(committer) if committer else by
        seed = f"{len(self.changes)} {message} {by} {parents}".encode("utf-8", "surrogatepass")
        sha = hashlib.sha1(seed, usedforsecurity=False).hexdigest()
        self.changes[sha] = Change(
            sha=sha,
            message=message,
            author=by,
            committer=committed,
            at=self.tick(),
            parents=tuple(parents),
            signature=signature,
        )
        return sha

    def open(
        self,
        author: Account | None,
        title: str,
        commits: Sequence[str],
        *,
        number: int = 0,
        base: str = "main",
    ) -> Pull:
        """Somebody opens a pull request with these commits."""
        number = number or max(self.pulls, default=0) + 1
        pull = Pull(
            number=number,
            title=title,
            author=author,
            head=f"feature-{number}",
            base=base,
            repository=self.repository,
            commits=list(commits),
        )
        self.pulls[number] = pull
        self.tick()
        return pull

    def review(
        self, pull: Pull, by: Account | None, state: str, *, commit: str = "", can_write: bool = True
    ) -> ReviewTold:
        """Somebody reviews the last commit, or the one that is named."""
        told = ReviewTold(
            id=self.new_id(),
            by=by,
            state=state,
            at=self.tick(),
            commit=commit or pull.commits[-1],
            can_write=can_write,
        )
        pull.reviews.append(told)
        return told

    def dismiss(self, pull: Pull, review: ReviewTold, by: Account) -> None:
        """Somebody dismisses a review: it keeps its time and its commit."""
        review.state = "DISMISSED"
        self.happen(pull, "ReviewDismissedEvent", by, review=review.id)

    def happen(
        self,
        pull: Pull,
        type_: str,
        actor: Account | None,
        *,
        subject: Account | None = None,
        review: int | None = None,
        at: datetime | None = None,
    ) -> None:
        """Something else happens to the pull request."""
        when = at or self.tick()
        pull.timeline.append(Happened(type=type_, at=when, actor=actor, subject=subject, review=review))

    def merge(self, pull: Pull, by: Account | None, onto: str) -> str:
        """Somebody merges it with a merge commit; the new tip."""
        first = f"Merge pull request #{pull.number} from {self.repository.split('/')[0]}/{pull.head}"
        author = by or ("ghost", "ghost@example.org")
        sha = self.commit(
            author,
            f"{first}\n\n{pull.title}",
            onto,
            pull.commits[-1],
            committer=GITHUB,
            signature="VALID",
        )
        return self.merged(pull, by, sha)

    def squash(self, pull: Pull, by: Account | None, onto: str, *, trailers: Iterable[str] = ()) -> str:
        """Somebody squashes it: one commit by the author of the pull request."""
        ends = "\n".join(f"Co-authored-by: {each}" for each in trailers)
        author = pull.author or ("ghost", "ghost@example.org")
        sha = self.commit(
            author, f"{pull.title} (#{pull.number})\n\n{ends}", onto, committer=GITHUB, signature="VALID"
        )
        return self.merged(pull, by, sha)

    def rebase(self, pull: Pull, by: Account, onto: str) -> str:
        """Somebody rebases it: each commit once more, unsigned, committed by who merged."""
        for sha in pull.commits:
            old = self.changes[sha]
            onto = self.commit(old.author, old.message, onto, committer=by)
            pull.landed.append(onto)
        return self.merged(pull, by, onto)

    def merged(self, pull: Pull, by: Account | None, sha: str) -> str:
        """It counts as merged, by that commit."""
        pull.merge, pull.merged_by, pull.merged_at = sha, by, self.now
        self.happen(pull, "MergedEvent", by, at=self.now)
        return sha

    def pulls_with(self, sha: str) -> list[Pull]:
        """The pull requests that contain that commit; open ones first, as GitHub lists them."""
        pulls = [each for each in self.pulls.values() if sha in (*each.commits, *each.landed, each.merge)]
        return sorted(pulls, key=lambda pull: bool(pull.merged_at))

    def ancestors(self, sha: str) -> list[str]:
        """The commit and all before it, parents first."""
        seen: dict[str, None] = {}
        waiting = [(sha, False)]
        while waiting:
            each, done = waiting.pop()
            if done:
                seen[each] = None
            elif each not in seen and each in self.changes:
                waiting.append((each, True))
                waiting += [(parent, False) for parent in reversed(self.changes[each].parents)]
        return list(seen)


def _signed(who: Account | tuple[str, str]) -> tuple[str, str]:
    return (who.name or who.login, who.email or who.noreply) if isinstance(who, Account) else who
