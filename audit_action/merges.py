"""How did a pull request come into its base branch, by whom, and which commits did it bring?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from audit_action.commit_message import headline, named_pull_requests
from audit_action.github_facts import CommitFacts, PullRequestFacts, Step, StepKind
from audit_action.identity import People
from audit_action.model import MergeMethod, Merger, Person, Trigger

# A queue takes the pull request out in the moment it merges it: that is no removal.
_SAME_MOMENT = timedelta(seconds=2)
_AUTO = (StepKind.AUTO_MERGE, StepKind.AUTO_SQUASH, StepKind.AUTO_REBASE)


def method(pull: PullRequestFacts) -> MergeMethod:
    """How it was merged; GitHub does not say, so the merge commit does.

    A merge commit has two parents. A squash is one commit made by GitHub. A rebase's tip is the last
    commit once more. Where the commit that made it merged is one of its own, or a merge that GitHub did
    not make, somebody pushed it past the pull request.
    """
    merge = pull.merge_commit
    if not pull.merged or merge is None:
        return MergeMethod.UNKNOWN
    if _queued(pull):
        return MergeMethod.QUEUE
    if any(each.sha == merge.sha for each in pull.commits):
        return MergeMethod.INDIRECT
    if len(merge.parents) > 1:
        return MergeMethod.MERGE if merge.made_by_github else MergeMethod.INDIRECT
    if is_rebase(pull):
        return MergeMethod.REBASE
    return MergeMethod.SQUASH if merge.made_by_github else MergeMethod.UNKNOWN


def merger(pull: PullRequestFacts, people: People) -> Merger | None:
    """Who let it in: the one who queued it, else the one who merged it; None when it is neither.

    A queue's merge is made by a bot for the person who queued it; GitHub's own word is kept beside.
    """
    merged_by = pull.merged_by or next(
        (step.person for step in pull.timeline or () if step.kind is StepKind.MERGED and step.person), None
    )
    queued = _queued(pull)
    enabled = _standing(pull, _AUTO, StepKind.AUTO_MERGE_OFF)
    person = queued.person if queued and queued.person else merged_by
    if person is None:
        return None
    other = merged_by is not person and merged_by and people.key(merged_by) != people.key(person)
    return Merger(
        person=people.known(person),
        pull_request=pull.number,
        merged_at=pull.merged_at,
        enabled_by=_known(people, enabled.person if enabled else None),
        merged_by=_known(people, merged_by) if other else None,
    )


def _queued(pull: PullRequestFacts) -> Step | None:
    return _standing(pull, (StepKind.QUEUED,), StepKind.UNQUEUED)


def _standing(pull: PullRequestFacts, begins: tuple[StepKind, ...], ends: StepKind) -> Step | None:
    """The last such step that was not taken back before the merge."""
    standing: Step | None = None
    for step in pull.timeline or ():
        after = pull.merged_at and step.at and step.at > pull.merged_at
        if step.kind in begins and not after:
            standing = step
        elif step.kind is ends and not (
            pull.merged_at and step.at and step.at > pull.merged_at - _SAME_MOMENT
        ):
            standing = None
    return standing


def candidates(trigger: Trigger, commits: Iterable[CommitFacts]) -> tuple[int, ...]:
    """The pull requests that may have brought these commits: by GitHub's word, or else by GitHub's messages.

    Only merged ones of this repository; those of a merge group are not merged yet, and GitHub does not
    associate the commits that its queue makes.
    """
    queued = trigger.event == "merge_group"
    found = {trigger.pull_request: None} if queued and trigger.pull_request else {}
    for commit in commits:
        if queued or commit.pull_requests is None:
            found |= dict.fromkeys(promoted([commit]))
        for each in commit.pull_requests or ():
            same = each.repository.casefold() == trigger.repository.casefold()
            if same and (each.merged or queued):
                found[each.number] = None
    return tuple(found)


def promoted(commits: Iterable[CommitFacts]) -> tuple[int, ...]:
    """The pull requests that GitHub merged into a branch before it was promoted itself, by their messages."""
    made = (each.message for each in commits if each.made_by_github)
    return tuple(dict.fromkeys(number for message in made for number in named_pull_requests(message)))


def belongs(
    pull: PullRequestFacts,
    trigger: Trigger,
    commits: Iterable[CommitFacts],
    promoted: Iterable[CommitFacts],
) -> bool:
    """Whether the pull request brought something of this deployment.

    GitHub also lists those that carried a commit somewhere else, and a message may name anything: its
    merge must be in the range, or among the commits that were squashed into it.
    """
    if not pull.merged:
        return trigger.event == "merge_group" and (
            pull.number == trigger.pull_request or _queued(pull) is not None
        )
    merge = pull.merge_commit.sha if pull.merge_commit else ""
    return not merge or any(each.sha == merge for each in (*commits, *promoted))


def brought(pull: PullRequestFacts, commits: Sequence[CommitFacts]) -> frozenset[str]:
    """Which of these commits (oldest first) it brought: its own, and its merge, squash or rebase."""
    own = {each.sha for each in pull.commits}
    found = {each.sha for each in commits if each.sha in own}
    merge = pull.merge_commit
    if pull.merged and merge is not None:
        found |= {each.sha for each in commits if each.sha == merge.sha}
        if is_rebase(pull):
            found |= {each.sha for each in rebased(pull, commits)}
    return frozenset(found)


def rebased(pull: PullRequestFacts, commits: Sequence[CommitFacts]) -> tuple[CommitFacts, ...]:
    """The commits that a rebase made of the pull request's own, when each one has its original; else none."""
    tip = pull.merge_commit.sha if pull.merge_commit else ""
    end = next((n + 1 for n, each in enumerate(commits) if each.sha == tip), 0)
    made = tuple(commits[max(0, end - len(pull.commits)) : end])
    alike = len(made) == len(pull.commits) and all(
        _alike(new, old) for new, old in zip(made, pull.commits, strict=True)
    )
    return made if alike else ()


def is_rebase(pull: PullRequestFacts) -> bool:
    """Whether the last commit was merged once more. One commit alone is a squash if GitHub made it."""
    tip = pull.merge_commit
    if tip is None or not pull.commits or len(tip.parents) != 1:
        return False
    return _alike(tip, pull.commits[-1]) and (len(pull.commits) > 1 or not tip.made_by_github)


def _alike(new: CommitFacts, old: CommitFacts) -> bool:
    """Whether one is the other on a new base: the author and the first line stay."""
    return headline(new.message) == headline(old.message) and _address(new) == _address(old)


def _address(commit: CommitFacts) -> str:
    return commit.authors[0].email.casefold() if commit.authors else ""


def _known(people: People, person: Person | None) -> Person | None:
    return people.known(person) if person else None
