"""Which commits and people are behind this run? Asks GitHub and git, in order, and never takes long."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from audit_action import attribution, change_range, merges
from audit_action.attribution import Evidence
from audit_action.change_range import Range
from audit_action.commit_message import HEAD_ARGUMENTS, is_sha, log_arguments, named_pull_requests, read_log
from audit_action.explain import explain
from audit_action.github_api import GitHub
from audit_action.github_facts import CommitFacts, Comparison, PullRequestFacts
from audit_action.model import (
    Approver,
    Attribution,
    ChangeSet,
    Job,
    RangeSource,
    Relation,
    Trigger,
    Unavailable,
)

__all__ = ["LocalGit", "explain", "find_people"]

# The output of a small command such as git, or None when it failed.
LocalGit: TypeAlias = Callable[[Sequence[str]], str | None]

_ATTEMPTS_ASKED = 10  # of a run that was started again and again


def find_people(
    trigger: Trigger,
    job: Job,
    github: GitHub | None,
    *,
    last_run_head: str,
    environment: str,
    budget_seconds: float = 30.0,
    local_git: LocalGit | None = None,
) -> tuple[ChangeSet, Attribution]:
    """The change set of this run, and the people behind it.

    `last_run_head` is the head commit of the last successful run that the database knows, or empty;
    `local_git` runs git in the checkout. Asking GitHub takes no longer than `budget_seconds`; what it does
    not answer is in the attribution's `unavailable`, and nothing is raised for it.
    """
    if not trigger.head_sha and local_git:
        trigger = replace(trigger, head_sha=(local_git(HEAD_ARGUMENTS) or "").strip())
    search = _Search(trigger=trigger, job=job, github=github, local_git=local_git)
    if github is None:
        evidence = search.without_github(last_run_head)
    else:
        with github.budget(budget_seconds):
            evidence = search.with_github(github, last_run_head, environment)
    return attribution.resolve(evidence)


@dataclass(slots=True, kw_only=True)
class _Search:
    """One search, and what it could not find out."""

    trigger: Trigger
    job: Job
    github: GitHub | None
    local_git: LocalGit | None
    unavailable: list[Unavailable] = field(default_factory=list)

    def without_github(self, last_run_head: str) -> Evidence:
        """Names and e-mails from the checkout and the event file."""
        for part in ("pull_requests", "approvers"):
            self._lack(Unavailable(field=part, reason="GitHub was not asked: there is no token"))
        trigger = self.trigger
        by_source = {
            RangeSource.LAST_RUN: last_run_head,
            RangeSource.PUSH_BEFORE: trigger.before,
            RangeSource.PULL_REQUEST if trigger.pull_request else RangeSource.MERGE_GROUP: trigger.base_sha,
        }
        for source, base in by_source.items():
            commits = self._logged(base) if base else None
            if commits is not None:
                return self._evidence(
                    Range(source=source, base_sha=base, commits=commits, total=len(commits))
                )
        return self._evidence(self._last_resort())

    def with_github(self, github: GitHub, last_run_head: str, environment: str) -> Evidence:
        """Everything, in the order of its worth, as far as the time allows."""
        repository = self.trigger.repository
        own = self._own_pull_request(github)
        found = self._range(github, own, last_run_head, environment)
        shown = merges.brought(own, found.commits) if own else frozenset()
        unknown = [each.sha for each in found.commits if each.sha not in shown]
        details = github.commits(repository, unknown or ([] if found.commits else [self.trigger.head_sha]))
        self._lack(*details.unavailable)
        commits = attribution.detailed(found.commits, details.commits, own)
        head = next((each for each in details.commits if each.sha == self.trigger.head_sha), None)
        if not found.commits and not found.listed and found.source is RangeSource.HEAD_ONLY and head:
            commits = (head,)
            found = replace(found, total=max(found.total, 1))
        removed = self._removed(github, found)
        pulls = self._pull_requests(github, commits, own)
        return self._evidence(
            replace(found, commits=commits),
            head=head,
            removed=removed,
            pull_requests=pulls,
            approvers=self._approvers(github),
            rerun_by=self._rerun_by(github),
        )

    # --- the range -----------------------------------------------------------------------------

    def _range(
        self, github: GitHub, own: PullRequestFacts | None, last_run_head: str, environment: str
    ) -> Range:
        """The commits since the surest base that GitHub, or the checkout, knows."""
        workflow = change_range.workflow_file(self.job.workflow_ref)
        for source in change_range.sources(
            self.trigger, last_run_head=last_run_head, environment=environment, workflow=workflow
        ):
            if source is RangeSource.PULL_REQUEST and own:
                found = change_range.of_pull_request(own, self.trigger.base_sha)
                if found:
                    return found
            base = self._base(github, source, last_run_head, environment, workflow)
            if not is_sha(base):
                continue
            compared = self._compare(github, base, source)
            if source is RangeSource.PULL_REQUEST and own and isinstance(compared, Comparison):
                found = change_range.of_rebase(own, compared)
                if found:
                    return found
            if isinstance(compared, Comparison):
                return change_range.from_comparison(source, base, compared)
            commits = self._logged(base)
            if commits is not None:
                return Range(source=source, base_sha=base, commits=commits, total=len(commits))
        return self._last_resort()

    def _base(
        self, github: GitHub, source: RangeSource, last_run_head: str, environment: str, workflow: str
    ) -> str:
        trigger = self.trigger
        match source:
            case RangeSource.LAST_RUN:
                return last_run_head
            case RangeSource.LAST_DEPLOYMENT:
                found = github.last_deployment(trigger.repository, environment, self.job.run_id)
            case RangeSource.LAST_WORKFLOW_RUN:
                found = github.last_workflow_run(
                    trigger.repository, workflow, **change_range.runs_like(trigger)
                )
            case RangeSource.PUSH_BEFORE:
                return trigger.before
            case _:
                return trigger.base_sha
        if isinstance(found, Unavailable):
            self._lack(found)
            return ""
        return found

    def _compare(self, github: GitHub, base: str, source: RangeSource) -> Comparison | None:
        compared = github.compare(self.trigger.repository, base, self.trigger.head_sha)
        if compared is None:
            gone = f"{base[:7]}, the {source.value}, is gone from GitHub or shares no history with the head"
            self._lack(Unavailable(field="range", reason=gone))
        elif isinstance(compared, Unavailable):
            self._lack(compared)
            return None
        return compared

    def _removed(self, github: GitHub, found: Range) -> tuple[CommitFacts, ...]:
        """What the database has and the head has not, after a rollback or a force-push."""
        if not found.behind_by or found.relation not in (Relation.BEHIND, Relation.DIVERGED):
            return ()
        compared = github.compare(self.trigger.repository, self.trigger.head_sha, found.base_sha)
        if isinstance(compared, Comparison):
            return compared.commits
        reason = compared.reason if compared else "they are gone"
        self._lack(Unavailable(field="removed", reason=reason))
        return ()

    def _logged(self, base: str) -> tuple[CommitFacts, ...] | None:
        """The same range out of the checkout, when its history reaches so far."""
        head = self.trigger.head_sha
        if self.local_git is None or not is_sha(head) or (base and not is_sha(base)):
            return None
        printed = self.local_git(log_arguments(base, head))
        try:
            return None if printed is None else read_log(printed)
        except ValueError:
            return None

    def _last_resort(self) -> Range:
        """The commits of the event file; else the head commit out of the checkout; else just its name."""
        trigger = self.trigger
        if trigger.commits and trigger.before:
            return Range(
                source=RangeSource.PUSH_BEFORE,
                base_sha=trigger.before,
                listed=trigger.commits,
                total=len(trigger.commits),
            )
        alone = tuple(each for each in trigger.commits if each.sha == trigger.head_sha)
        logged = () if alone else self._logged("") or ()
        return Range(commits=logged, listed=alone, total=len(logged or alone))

    # --- the people ----------------------------------------------------------------------------

    def _own_pull_request(self, github: GitHub) -> PullRequestFacts | None:
        """The pull request that the event is about."""
        if self.trigger.pull_request is None or self.trigger.event == "merge_group":
            return None
        found = github.pull_requests(self.trigger.repository, [self.trigger.pull_request])
        self._lack(*found.unavailable)
        if not found.pull_requests and not found.unavailable:
            gone = f"GitHub knows no pull request #{self.trigger.pull_request}"
            self._lack(Unavailable(field="pull_requests", reason=gone))
        return found.pull_requests[0] if found.pull_requests else None

    def _pull_requests(
        self, github: GitHub, commits: tuple[CommitFacts, ...], own: PullRequestFacts | None
    ) -> tuple[PullRequestFacts, ...]:
        """Those that brought the commits, and those that were squashed into one of them, in turn."""
        found = {own.number: own} if own else {}
        named = merges.candidates(self.trigger, commits)
        for _ in range(3):  # a promotion of a promotion
            wanted = [number for number in named if number not in found]
            if not wanted:
                break
            answer = github.pull_requests(self.trigger.repository, wanted)
            self._lack(*answer.unavailable)
            behind = [each for pull in found.values() for each in pull.commits]
            new = {
                each.number: each
                for each in answer.pull_requests
                if merges.belongs(each, self.trigger, commits, behind)
            }
            found |= new
            promoted = [each for pull in (new or found).values() for each in pull.commits]
            named = tuple(number for each in promoted for number in named_pull_requests(each.message))
            if not new:
                break
        return tuple(found[number] for number in sorted(found))

    def _approvers(self, github: GitHub) -> tuple[Approver, ...]:
        if self.job.run_id is None:
            return ()
        found = github.approvers(self.trigger.repository, self.job.run_id, self.job.run_attempt)
        if isinstance(found, Unavailable):
            self._lack(found)
            return ()
        return found

    def _rerun_by(self, github: GitHub) -> tuple[str, ...]:
        """Who started the run again, in order; GitHub tells it attempt by attempt."""
        last, run_id = self.job.run_attempt or 1, self.job.run_id
        if last < 2 or run_id is None:
            return ()
        people: list[str] = []
        for attempt in range(max(2, last - _ATTEMPTS_ASKED), last):
            run = github.attempt(self.trigger.repository, run_id, attempt)
            if isinstance(run, Unavailable):
                self._lack(run)
                break
            people.append(run.triggering_actor)
        return tuple(each for each in [*people, self.job.triggering_actor] if each)

    def _evidence(
        self,
        found: Range,
        *,
        head: CommitFacts | None = None,
        removed: tuple[CommitFacts, ...] = (),
        pull_requests: tuple[PullRequestFacts, ...] = (),
        approvers: tuple[Approver, ...] = (),
        rerun_by: tuple[str, ...] = (),
    ) -> Evidence:
        return Evidence(
            trigger=self.trigger,
            found=found,
            head=head,
            removed=removed,
            pull_requests=pull_requests,
            approvers=approvers,
            actor=self.job.actor,
            triggering_actor=self.job.triggering_actor,
            rerun_by=rerun_by,
            unavailable=tuple(self.unavailable),
        )

    def _lack(self, *found: Unavailable) -> None:
        self.unavailable += found
