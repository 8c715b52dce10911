"""Which commits has this database not seen yet? Where the range may begin, and what a comparison means."""

from __future__ import annotations

from dataclasses import dataclass

from audit_action import merges
from audit_action.github_facts import CommitFacts, Comparison, PullRequestFacts
from audit_action.model import Commit, RangeSource, Relation, Trigger

_PULL_REQUEST_EVENTS = (
    "pull_request",
    "pull_request_target",
    "pull_request_review",
    "pull_request_review_comment",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """The commits being deployed, oldest first, and where their beginning came from.

    `total`: how many there are, also those that are not listed. `listed`: those of the event file, where
    nobody else could be asked. `behind_by`: how many of the base's commits the head has not.
    """

    source: RangeSource = RangeSource.HEAD_ONLY
    base_sha: str = ""
    relation: Relation = Relation.UNKNOWN
    commits: tuple[CommitFacts, ...] = ()
    listed: tuple[Commit, ...] = ()
    total: int = 0
    behind_by: int = 0


def sources(
    trigger: Trigger, *, last_run_head: str, environment: str, workflow: str
) -> tuple[RangeSource, ...]:
    """Where the range may begin, the surest first; the head commit alone is what remains.

    A preview of a pull request is not compared with what another pull request deployed before. A run that a
    pull request or another workflow started bears not the commit that it deployed.
    """
    found = [RangeSource.LAST_RUN] if last_run_head else []
    pull_request = trigger.event in _PULL_REQUEST_EVENTS
    if environment and not trigger.preview:
        found.append(RangeSource.LAST_DEPLOYMENT)
    if workflow and not trigger.preview and not pull_request and trigger.event != "workflow_run":
        found.append(RangeSource.LAST_WORKFLOW_RUN)
    if trigger.before:
        found.append(RangeSource.PUSH_BEFORE)
    if trigger.event == "merge_group":
        found.append(RangeSource.MERGE_GROUP)
    elif pull_request:
        found.append(RangeSource.PULL_REQUEST)
    return tuple(found)


def runs_like(trigger: Trigger) -> dict[str, str]:
    """Which earlier runs of the workflow are of the same kind: those of the branch.

    A tag has no earlier runs of its own; those that the same kind of event started take their place.
    """
    branch = trigger.ref.removeprefix("refs/heads/")
    return {"branch": branch} if branch != trigger.ref else {"event": trigger.event}


def workflow_file(workflow_ref: str) -> str:
    """The file name in `owner/name/.github/workflows/file.yml@ref`, or empty text.

    >>> workflow_file("ada/shop/.github/workflows/migrate.yml@refs/heads/main")
    'migrate.yml'
    """
    path, _, _ = workflow_ref.partition("@")
    return path.rpartition("/.github/workflows/")[2] if "/.github/workflows/" in path else ""


def from_comparison(source: RangeSource, base: str, found: Comparison) -> Range:
    """The range that a comparison shows. Behind: nothing is new, it is a rollback."""
    return Range(
        source=source,
        base_sha=base,
        relation=found.relation,
        commits=found.commits,
        total=found.total,
        behind_by=found.behind_by,
    )


def of_pull_request(pull: PullRequestFacts, base: str) -> Range | None:
    """The range of a pull request by itself; None where its commits must be compared: after a rebase.

    A merged one begins at the first parent of its merge commit: the base in the event file may be older
    than what its branch had by then.
    """
    merge = pull.merge_commit
    hidden = max(0, pull.commits_total - len(pull.commits))
    if not pull.merged or merge is None or any(each.sha == merge.sha for each in pull.commits):
        commits, start = pull.commits, base
    elif len(merge.parents) > 1:
        commits, start = (*pull.commits, merge), merge.parents[0]
    elif merges.is_rebase(pull):
        return None
    else:
        return _pull_request_range(merge.parents[0] if merge.parents else base, (merge,), 1)
    return _pull_request_range(start, commits, len(commits) + hidden)


def of_rebase(pull: PullRequestFacts, found: Comparison) -> Range | None:
    """The commits that a rebase made, out of a comparison that may hold older ones too."""
    made = merges.rebased(pull, found.commits)
    if not made:
        return None
    start = made[0].parents[0] if made[0].parents else ""
    return _pull_request_range(start, made, len(made))


def _pull_request_range(base: str, commits: tuple[CommitFacts, ...], total: int) -> Range:
    return Range(
        source=RangeSource.PULL_REQUEST, base_sha=base, relation=Relation.AHEAD, commits=commits, total=total
    )
