"""Which commits is this run about? The range since the surest base that GitHub, or the checkout, knows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from audit_action import change_range
from audit_action.change_range import Range
from audit_action.commit_message import is_sha, log_arguments, read_log
from audit_action.github_api import GitHub
from audit_action.github_facts import CommitFacts, Comparison, PullRequestFacts
from audit_action.model import Job, RangeSource, Relation, Trigger, Unavailable

# The output of a small command such as git, or None when it failed.
LocalGit: TypeAlias = Callable[[Sequence[str]], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeSearch:
    """What the search for the range begins with. What it cannot find out is added to `lacks`."""

    trigger: Trigger
    job: Job
    last_run_head: str
    environment: str
    local_git: LocalGit | None
    lacks: list[Unavailable]

    def without_github(self) -> Range:
        """The range out of the checkout, or else of the event file."""
        trigger = self.trigger
        by_source = {
            RangeSource.LAST_RUN: self.last_run_head,
            RangeSource.PUSH_BEFORE: trigger.before,
            RangeSource.PULL_REQUEST if trigger.pull_request else RangeSource.MERGE_GROUP: trigger.base_sha,
        }
        for source, base in by_source.items():
            commits = self._logged(base) if base else None
            if commits is not None:
                return Range(source=source, base_sha=base, commits=commits, total=len(commits))
        return self._last_resort()

    def with_github(self, github: GitHub, own: PullRequestFacts | None) -> Range:
        """The commits since the surest base that GitHub, or the checkout, knows.

        `own` is the pull request that the event is about.
        """
        workflow = change_range.workflow_file(self.job.workflow_ref)
        for source in change_range.sources(
            self.trigger,
            last_run_head=self.last_run_head,
            environment=self.environment,
            workflow=workflow,
        ):
            if source is RangeSource.PULL_REQUEST and own:
                found = change_range.of_pull_request(own, self.trigger.base_sha)
                if found:
                    return found
            base = self._base(github, source, workflow)
            if not is_sha(base):
                continue
            compared = github.compare(self.trigger.repository, base, self.trigger.head_sha)
            if source is RangeSource.PULL_REQUEST and own and isinstance(compared, Comparison):
                found = change_range.of_rebase(own, compared)
                if found:
                    return found
            if isinstance(compared, Comparison):
                return change_range.from_comparison(source, base, compared)
            commits = self._logged(base)
            self._lack(source, base, compared, known=commits is not None)
            if commits is not None:
                return Range(source=source, base_sha=base, commits=commits, total=len(commits))
        return self._last_resort()

    def _base(self, github: GitHub, source: RangeSource, workflow: str) -> str:
        trigger = self.trigger
        match source:
            case RangeSource.LAST_RUN:
                return self.last_run_head
            case RangeSource.LAST_DEPLOYMENT:
                found = github.last_deployment(trigger.repository, self.environment, self.job.run_id)
            case RangeSource.LAST_WORKFLOW_RUN:
                found = github.last_workflow_run(
                    trigger.repository, workflow, **change_range.runs_like(trigger)
                )
            case RangeSource.PUSH_BEFORE:
                return trigger.before
            case _:
                return trigger.base_sha
        if isinstance(found, Unavailable):
            self.lacks.append(found)
            return ""
        return found

    def _lack(self, source: RangeSource, base: str, refused: Unavailable | None, *, known: bool) -> None:
        """Why GitHub did not compare. Where git knew the commits, how they stand to the base is lacking."""
        if refused is None:
            gone = f"{base[:7]}, the {source.value}, is gone from GitHub or shares no history with the head"
            refused = Unavailable(field="range", reason=gone)
        self.lacks.append(replace(refused, field="range") if known else refused)

    def removed(self, github: GitHub, found: Range) -> tuple[CommitFacts, ...]:
        """What the database has and the head has not, after a rollback or a force-push."""
        if not found.behind_by or found.relation not in (Relation.BEHIND, Relation.DIVERGED):
            return ()
        compared = github.compare(self.trigger.repository, self.trigger.head_sha, found.base_sha)
        if isinstance(compared, Comparison):
            return compared.commits
        reason = compared.reason if compared else "they are gone"
        self.lacks.append(Unavailable(field="removed", reason=reason))
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
