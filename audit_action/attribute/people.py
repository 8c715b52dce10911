"""Who is behind this run? Each question to GitHub in the order of its worth, as far as the time allows."""

from __future__ import annotations

from dataclasses import dataclass, replace

from audit_action import attribution, merges
from audit_action.attribute.commits import LocalGit, RangeSearch
from audit_action.attribution import Evidence
from audit_action.change_range import Range
from audit_action.commit_message import HEAD_ARGUMENTS, is_sha
from audit_action.github_api import GitHub
from audit_action.github_facts import CommitFacts, PullRequestFacts
from audit_action.model import Approver, Attribution, ChangeSet, Job, RangeSource, Trigger, Unavailable

_ATTEMPTS_ASKED = 10  # of a run that was started again and again
_PROMOTIONS_TRACED = 4  # the pull requests of the range, and three levels within them


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
    lacks: list[Unavailable] = []
    ranges = RangeSearch(
        trigger=trigger,
        job=job,
        last_run_head=last_run_head,
        environment=environment,
        local_git=local_git,
        lacks=lacks,
    )
    search = _Search(trigger=trigger, job=job, ranges=ranges, lacks=lacks)
    if github is None or not trigger.repository:
        evidence = search.without_github()
    else:
        with github.budget(budget_seconds):
            evidence = search.with_github(github)
    return attribution.resolve(evidence)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Search:
    """One search, and what it could not find out."""

    trigger: Trigger
    job: Job
    ranges: RangeSearch
    lacks: list[Unavailable]

    def without_github(self) -> Evidence:
        """Names and e-mails from the checkout and the event file."""
        why = "there is no token" if self.trigger.repository else "no repository is named"
        for part in ("pull_requests", "approvers"):
            self._lack(Unavailable(field=part, reason=f"GitHub was not asked: {why}"))
        return self._evidence(self.ranges.without_github())

    def with_github(self, github: GitHub) -> Evidence:
        """Everything that GitHub tells."""
        own = self._own_pull_request(github)
        found, head = self._detailed(github, self.ranges.with_github(github, own), own)
        return self._evidence(
            found,
            head=head,
            removed=self.ranges.removed(github, found),
            pull_requests=self._pull_requests(github, found.commits, own),
            approvers=self._approvers(github),
            rerun_by=self._rerun_by(github),
        )

    def _detailed(
        self, github: GitHub, found: Range, own: PullRequestFacts | None
    ) -> tuple[Range, CommitFacts | None]:
        """The range with what GraphQL tells of its commits, and the head commit, new or not.

        What a pull request brought is known with it already. The names in an event file are replaced.
        """
        shown = merges.brought(own, found.commits) if own else frozenset()
        wanted = [each.sha for each in found.commits or found.listed if each.sha not in shown]
        if not found.commits and not found.listed and is_sha(self.trigger.head_sha):
            wanted = [self.trigger.head_sha]
        details = github.commits(self.trigger.repository, wanted)
        self._lack(*details.unavailable)
        head = next((each for each in details.commits if each.sha == self.trigger.head_sha), None)
        if found.commits:
            return replace(found, commits=attribution.detailed(found.commits, details.commits, own)), head
        alone = found.source is RangeSource.HEAD_ONLY or found.listed
        if alone and details.commits and len(details.commits) == len(wanted):
            total = max(found.total, len(wanted))
            return replace(found, commits=details.commits, listed=(), total=total), head
        return found, head

    def _own_pull_request(self, github: GitHub) -> PullRequestFacts | None:
        """The pull request that the event is about."""
        if self.trigger.pull_request is None or self.trigger.event == "merge_group":
            return None
        found = github.pull_requests(self.trigger.repository, [self.trigger.pull_request])
        self._lack(*found.unavailable)
        if not found.pull_requests and not found.unavailable:
            gone = f"GitHub knows no pull request #{self.trigger.pull_request}"
            self._lack(Unavailable(field="pull_requests", reason=gone))
        own = found.pull_requests[0] if found.pull_requests else None
        if own and not own.merged and not self.trigger.preview:
            late = f"GitHub does not show #{own.number} as merged yet"
            self._lack(Unavailable(field="mergers", reason=late))
        return own

    def _pull_requests(
        self, github: GitHub, commits: tuple[CommitFacts, ...], own: PullRequestFacts | None
    ) -> tuple[PullRequestFacts, ...]:
        """Those that brought the commits, and those that were squashed into one of them, in turn."""
        found = {own.number: own} if own else {}
        asked = set(found)
        named = merges.candidates(self.trigger, commits)
        for _ in range(_PROMOTIONS_TRACED):
            within = [each for pull in found.values() for each in pull.commits]
            wanted = [number for number in (*named, *merges.promoted(within)) if number not in asked]
            wanted = list(dict.fromkeys(wanted))
            if not wanted:
                break
            asked |= set(wanted)
            answer = github.pull_requests(self.trigger.repository, wanted)
            self._lack(*answer.unavailable)
            found |= {
                each.number: each
                for each in answer.pull_requests
                if merges.belongs(each, self.trigger, commits, within)
            }
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
        if last - 2 > _ATTEMPTS_ASKED:
            reason = f"only the last {_ATTEMPTS_ASKED} of {last} attempts were asked for"
            self._lack(Unavailable(field="rerun_by", reason=reason))
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
            unavailable=tuple(self.lacks),
        )

    def _lack(self, *found: Unavailable) -> None:
        self.lacks.extend(found)
