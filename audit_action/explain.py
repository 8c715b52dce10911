"""Why is a name there, or missing? The attribution in plain text, with its sources."""

from __future__ import annotations

from collections.abc import Iterator

from audit_action.model import Attribution, ChangeSet, Commit, Person, PersonKind, PullRequest, Reviewer


def explain(change_set: ChangeSet, attribution: Attribution) -> str:
    """Who was found, from which source, and what was unavailable and why. Several lines of plain text.

    Control characters in names are shown escaped, so that no name can move the cursor or begin a line.
    """
    return "\n".join(_plain(line) for line in _lines(change_set, attribution)) + "\n"


def _lines(change_set: ChangeSet, attribution: Attribution) -> Iterator[str]:
    base = change_set.base_sha[:12] or "(no base)"
    yield f"Range: {base}..{change_set.head_sha[:12]}"
    yield f"  base from: {change_set.range_source} (confidence {change_set.confidence})"
    yield f"  head against base: {change_set.relation}"
    yield f"  commits: {len(change_set.commits)} of {change_set.total_commits}"
    for commit in change_set.commits:
        yield f"    {_commit(commit)}"
    for commit in change_set.removed:
        yield f"    taken away: {_commit(commit)}"
    for pull in change_set.pull_requests:
        yield from _pull_request(pull)
    yield "Authors:" if attribution.authors else "Authors: none found"
    for author in attribution.authors:
        yield f"  {_person(author.person)}: {', '.join(author.roles)}, {_count(author.commits, 'commit')}"
    yield "Merged by:" if attribution.mergers else "Merged by: nobody, or nobody that GitHub told of"
    for merger in attribution.mergers:
        extra = f", by {_person(merger.merged_by)} for them" if merger.merged_by else ""
        extra += f", auto-merge switched on by {_person(merger.enabled_by)}" if merger.enabled_by else ""
        yield f"  #{merger.pull_request}: {_person(merger.person)}{extra}"
    yield "Reviewed by:" if attribution.reviewers else "Reviewed by: nobody, or nobody that GitHub told of"
    for reviewer in attribution.reviewers:
        yield f"  #{reviewer.pull_request}: {_reviewer(reviewer)}"
    for approver in attribution.approvers:
        yield f"Environment {approver.environment}: {approver.state} by {_person(approver.person)}"
    yield f"Started by: {attribution.actor or 'unknown'}"
    if attribution.triggering_actor and attribution.triggering_actor != attribution.actor:
        yield f"  this attempt by: {attribution.triggering_actor}"
    if attribution.rerun_by:
        yield f"  started again by: {', '.join(attribution.rerun_by)}"
    for lack in attribution.unavailable:
        needs = f"; the token needs {lack.permission}" if lack.permission else ""
        yield f"Unavailable: {lack.field}: {lack.reason}{needs}"


def _commit(commit: Commit) -> str:
    notes = [f"signature {commit.signature}"]
    notes += [f"#{number}" for number in commit.pull_requests] or ["no pull request"]
    notes += [f"reverts {commit.reverts[:12]}"] if commit.reverts else []
    notes += [f"picked from {commit.cherry_picked_from[:12]}"] if commit.cherry_picked_from else []
    return f"{commit.sha[:12]} {commit.headline} ({', '.join(notes)})"


def _pull_request(pull: PullRequest) -> Iterator[str]:
    state = f"merged into {pull.base_ref} ({pull.method})" if pull.merged else "not merged"
    yield f"Pull request #{pull.number}: {pull.title}: {state}, {_count(len(pull.commits), 'commit')}"


def _reviewer(reviewer: Reviewer) -> str:
    notes = [f"{reviewer.freshness} review"]
    notes += ["write access not known"] if reviewer.can_write is None else []
    notes += ["no write access"] if reviewer.can_write is False else []
    notes += ["is an author of it"] if reviewer.is_author else []
    notes += ["after the merge"] if reviewer.after_merge else []
    notes += [f"dismissed by {_person(reviewer.dismissed_by)}"] if reviewer.dismissed_by else []
    return f"{_person(reviewer.person)}: {reviewer.state} ({', '.join(notes)})"


_WHENCE = {
    PersonKind.USER: "GitHub account",
    PersonKind.BOT: "bot",
    PersonKind.MANNEQUIN: "imported, claimed by nobody",
    PersonKind.GHOST: "deleted account",
    PersonKind.UNMATCHED: "e-mail belongs to no account",
}


def _person(person: Person) -> str:
    name = person.name or person.login or "somebody"
    address = f" <{person.email}>" if person.email else ""
    account = f"{person.login}, " if person.login else ""
    number = f" {person.id}" if person.id is not None else ""
    return f"{name}{address} [{account}{_WHENCE[person.kind]}{number}]"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _plain(line: str) -> str:
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in line)
