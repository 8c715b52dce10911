"""What happened? The event file of the workflow run, reduced to what decides the range and the people."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace

from audit_action.commit_message import (
    GITHUB_EMAIL,
    co_authors,
    headline,
    is_merge,
    is_sha,
    person_of,
    picked_from,
    reverted,
)
from audit_action.errors import BadInput
from audit_action.json_paths import at, flag, items, number, text
from audit_action.model import Commit, Job, Json, Person, PersonKind, Trigger

# refs/heads/gh-readonly-queue/<base>/pr-<n>-<sha>: the last pull request of the group.
_QUEUE_REF = re.compile(r"/pr-(\d+)-[0-9a-f]{40,64}$")
_PULL_REQUEST = ("pull_request", "pull_request_target", "pull_request_review", "pull_request_review_comment")


def parse(job: Job, payload: str) -> Trigger:
    """What the event file and the job's variables say happened.

    `payload` is the text of GITHUB_EVENT_PATH; empty for a schedule, and outside of GitHub Actions.
    Where GITHUB_SHA is not what is being deployed, the event's own commit is used, after the tables of
    https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows.
    Raises BadInput when there is nothing to deploy: a deleted ref, a pull request closed without a merge.
    """
    event = _read(payload)
    general = Trigger(
        event=job.event,
        repository=job.repository,
        head_sha=job.sha,
        action=text(event, "action"),
        ref=job.ref,
        sender=text(event, "sender", "login"),
    )
    trigger = _of_kind(general, event)
    if job.event and not is_sha(trigger.head_sha):
        raise BadInput(
            f"The {job.event} event names no commit, so it cannot be said what is being deployed. "
            "Start the workflow from an event that has one, such as push or workflow_dispatch."
        )
    return trigger


def _of_kind(general: Trigger, event: Json) -> Trigger:
    match general.event:
        case "push":
            return _push(general, event)
        case name if name in _PULL_REQUEST:
            return _pull_request(general, event)
        case "merge_group":
            return _merge_group(general, event)
        case "release":
            return _release(general)
        case "deployment" | "deployment_status":
            ref = general.ref or text(event, "deployment", "ref")
            return replace(general, head_sha=text(event, "deployment", "sha") or general.head_sha, ref=ref)
        case "workflow_run":
            # GITHUB_SHA is the default branch here, not what the other workflow ran on.
            branch = text(event, "workflow_run", "head_branch")
            return replace(
                general,
                head_sha=text(event, "workflow_run", "head_sha") or general.head_sha,
                ref=f"refs/heads/{branch}" if branch else general.ref,
                commits=_commits([at(event, "workflow_run", "head_commit")]),
            )
        case "delete":
            raise BadInput(_deleted(text(event, "ref") or "a ref"))
    return general


def _push(general: Trigger, event: Json) -> Trigger:
    after = text(event, "after")
    if flag(event, "deleted") or (after and not after.strip("0")):
        raise BadInput(_deleted(general.ref or text(event, "ref") or "a ref"))
    before = text(event, "before")
    return replace(
        general,
        # `after` of an annotated tag is the tag object; head_commit is the commit it points to.
        head_sha=text(event, "head_commit", "id") or general.head_sha or after,
        before=before if before.strip("0") else "",
        forced=flag(event, "forced") is True,
        commits=_commits(items(event, "commits") or [at(event, "head_commit")]),
    )


def _pull_request(general: Trigger, event: Json) -> Trigger:
    pull = number(event, "pull_request", "number") or number(event, "number")
    merged = flag(event, "pull_request", "merged") or bool(text(event, "pull_request", "merged_at"))
    head = text(event, "pull_request", "head", "sha")
    if not merged and general.action == "closed":
        raise BadInput(
            f"Pull request #{pull} was closed without being merged, so there is nothing to deploy. "
            "Let the job run for merged ones only: if: github.event.pull_request.merged"
        )
    return replace(
        general,
        # GITHUB_SHA of an open pull request is a test merge that no branch will ever hold.
        head_sha=(text(event, "pull_request", "merge_commit_sha") or general.head_sha)
        if merged
        else (head or general.head_sha),
        base_sha=text(event, "pull_request", "base", "sha"),
        pull_request=pull,
        preview=not merged,
    )


def _merge_group(general: Trigger, event: Json) -> Trigger:
    if general.action == "destroyed":
        raise BadInput("The merge group was dissolved, so there is nothing to deploy.")
    ref = text(event, "merge_group", "head_ref") or general.ref
    match = _QUEUE_REF.search(ref)
    return replace(
        general,
        head_sha=text(event, "merge_group", "head_sha") or general.head_sha,
        base_sha=text(event, "merge_group", "base_sha"),
        ref=ref,
        pull_request=int(match[1]) if match else None,
        preview=True,
        commits=_commits([at(event, "merge_group", "head_commit")]),
    )


def _release(general: Trigger) -> Trigger:
    if general.action in ("deleted", "unpublished"):
        raise BadInput(
            f"The release was {general.action}, so there is nothing to deploy. "
            "Let the workflow run for `types: [published]` only."
        )
    return general


def _deleted(ref: str) -> str:
    return (
        f"{ref} was deleted, so there is nothing to deploy. "
        "Leave deletions out: `on: push` with `branches:`, and if: github.event.deleted == false"
    )


def _commits(payload: Sequence[Json]) -> tuple[Commit, ...]:
    """The commits of a payload: `{id, message, author: {name, email, username?}, committer}`."""
    return tuple(_commit(each) for each in payload if is_sha(text(each, "id")))


def _commit(payload: Json) -> Commit:
    message = text(payload, "message")
    author, committer = _person(payload, "author"), _person(payload, "committer")
    on_github = committer.email == GITHUB_EMAIL
    return Commit(
        sha=text(payload, "id"),
        headline=headline(message),
        authors=(author, *co_authors(message)),
        committer=None if on_github or committer == author else committer,
        # A payload does not tell the parents; GitHub's own merges have a first line of their own.
        parents=2 if on_github and is_merge(message) else 1,
        made_by_github=on_github,
        reverts=reverted(message),
        cherry_picked_from=picked_from(message),
    )


def _person(payload: Json, key: str) -> Person:
    person = person_of(text(payload, key, "name"), text(payload, key, "email"))
    username = text(payload, key, "username")
    if not username:
        return person
    login, bot = username.removesuffix("[bot]"), username.endswith("[bot]")
    same = login.casefold() == person.login.casefold()
    kind = PersonKind.BOT if bot else PersonKind.USER
    return replace(person, login=login, id=person.id if same else None, kind=kind)


def _read(payload: str) -> Json:
    if not payload.strip():
        return {}
    try:
        event: Json = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise BadInput(
            f"The event file is not JSON ({error}), so it cannot be said what happened."
        ) from error
    if not isinstance(event, dict):
        raise BadInput("The event file holds no JSON object, so it cannot be said what happened.")
    return event
