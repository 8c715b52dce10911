"""What does GitHub's REST API say about a world? Bodies with the fields that its description names."""

from __future__ import annotations

from audit_action.demo.told import WEB_FLOW, Account, Change, Comment, Happened, Pull, Ran, ReviewTold
from audit_action.demo.world import World
from audit_action.model import Json


def user(account: Account | None) -> Json:
    """A simple-user; null for nobody."""
    if account is None:
        return None
    return {
        "login": account.rest_login,
        "id": account.id,
        "type": account.type,
        "html_url": f"https://github.com/{account.rest_login}",
        "site_admin": False,
    }


def commit(world: World, change: Change) -> Json:
    """A commit, with the accounts that its e-mails belong to."""
    author, committer = world.account_of(change.author[1]), world.account_of(change.committer[1])
    when = stamp(change.at)
    return {
        "sha": change.sha,
        "commit": {
            "author": {"name": change.author[0], "email": change.author[1], "date": when},
            "committer": {"name": change.committer[0], "email": change.committer[1], "date": when},
            "message": change.message,
            "comment_count": 0,
            "verification": {
                "verified": change.signature == "VALID",
                "reason": change.signature.lower() or "unsigned",
                "signature": None,
                "payload": None,
                "verified_at": None,
            },
        },
        "author": user(author),
        "committer": user(WEB_FLOW if change.on_the_web else committer),
        "parents": [{"sha": parent, "url": f"https://github.com/{parent}"} for parent in change.parents],
    }


def comparison(world: World, base: str, head: str) -> dict[str, Json] | None:
    """base...head, all commits; None when one is gone or they share no history."""
    if base not in world.changes or head not in world.changes:
        return None
    before, after = world.ancestors(base), world.ancestors(head)
    common = [each for each in before if each in set(after)]
    if not common:
        return None
    ahead = [each for each in after if each not in set(before)]
    behind = len([each for each in before if each not in set(after)])
    status = {(False, False): "identical", (True, False): "ahead", (False, True): "behind"}
    return {
        "status": status.get((bool(ahead), bool(behind)), "diverged"),
        "ahead_by": len(ahead),
        "behind_by": behind,
        "total_commits": len(ahead),
        "merge_base_commit": commit(world, world.changes[common[-1]]),
        "base_commit": commit(world, world.changes[base]),
        "commits": [commit(world, world.changes[each]) for each in ahead],
    }


def pull(world: World, told: Pull, *, item: bool = False) -> Json:
    """A pull request; as an item of a list it has fewer fields."""
    repository: Json = {"full_name": told.repository}
    more: dict[str, Json] = {
        "merged": bool(told.merged_at),
        "merged_by": user(told.merged_by),
        "commits": len(told.commits),
    }
    return {
        **({} if item else more),
        "number": told.number,
        "title": told.title,
        "html_url": f"https://github.com/{told.repository}/pull/{told.number}",
        "state": "closed" if told.merged_at else "open",
        "merged_at": stamp(told.merged_at) if told.merged_at else None,
        "merge_commit_sha": told.merge or None,
        "user": user(told.author or Account(login="ghost", id=10137)),
        "locked": told.locked,
        "head": {"ref": told.head, "sha": told.later_head or told.commits[-1]},
        "base": {"ref": told.base, "sha": world.changes[told.commits[0]].parents[0], "repo": repository},
    }


def review(each: ReviewTold) -> Json:
    """One review of a pull request."""
    return {
        "id": each.id,
        "user": user(each.by),
        "body": "",
        "state": each.state,
        "submitted_at": stamp(each.at),
        "commit_id": each.commit,
        "author_association": "MEMBER" if each.can_write else "NONE",
    }


_EVENTS = {
    "MergedEvent": "merged",
    "AddedToMergeQueueEvent": "added_to_merge_queue",
    "RemovedFromMergeQueueEvent": "removed_from_merge_queue",
    "AutoMergeEnabledEvent": "auto_merge_enabled",
    "AutoSquashEnabledEvent": "auto_squash_enabled",
    "AutoRebaseEnabledEvent": "auto_rebase_enabled",
    "AutoMergeDisabledEvent": "auto_merge_disabled",
    "ReviewDismissedEvent": "review_dismissed",
    "HeadRefForcePushedEvent": "head_ref_force_pushed",
}


def step(told: Happened) -> Json:
    """One item of a pull request's timeline."""
    dismissed: dict[str, Json] = {"dismissed_review": {"state": "dismissed", "review_id": told.review}}
    return {
        "event": _EVENTS[told.type],
        "created_at": stamp(told.at),
        "actor": user(told.subject or told.actor),
        **(dismissed if told.review else {}),
    }


def run(told: Ran, attempt: int) -> Json:
    """One attempt of a workflow run."""
    return {
        "id": told.id,
        "head_sha": told.sha,
        "head_branch": told.branch,
        "event": told.event,
        "status": "completed",
        "conclusion": told.status,
        "run_attempt": attempt,
        "actor": user(told.attempts[0]) if told.attempts else None,
        "triggering_actor": user(told.attempts[attempt - 1]) if told.attempts else None,
    }


def approvals(world: World, run_id: int) -> Json:
    """Who let that run into environments."""
    return [
        {
            "environments": [{"id": n, "name": name} for n, name in enumerate(each.environments)],
            "state": each.state,
            "user": user(each.by),
            "comment": each.comment,
        }
        for each in world.approvals
        if each.run_id == run_id
    ]


def comment(world: World, told: Comment) -> Json:
    """One comment of a pull request."""
    return {
        "id": told.id,
        "body": told.body,
        "user": user(told.by),
        "created_at": stamp(told.at),
        "updated_at": stamp(told.at),
        "html_url": comment_url(world, told),
    }


def comment_url(world: World, told: Comment) -> str:
    """Where a reader finds it."""
    return f"https://github.com/{world.repository}/pull/{told.pull}#issuecomment-{told.id}"


def stamp(at: object) -> str:
    """GitHub's way to write a time."""
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
