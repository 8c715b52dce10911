"""Are the people behind a deployment found, through real PyGithub, against a stand-in of GitHub?"""

from __future__ import annotations

from audit_action import event
from audit_action.attribute import explain, find_people
from audit_action.demo.github import serving
from audit_action.demo.story import tell
from audit_action.github_api import GitHub
from audit_action.model import Freshness, Job, MergeMethod, RangeSource, ReviewState


def test_the_demo_s_story_is_told_whole() -> None:
    story = tell()
    job = Job(
        repository=story.variables["GITHUB_REPOSITORY"],
        event="push",
        ref="refs/heads/main",
        sha=story.variables["GITHUB_SHA"],
        workflow_ref=story.variables["GITHUB_WORKFLOW_REF"],
        run_id=int(story.variables["GITHUB_RUN_ID"]),
        run_attempt=1,
        actor="ghopper",
        triggering_actor="ghopper",
    )
    with serving(story.world) as served:
        github = GitHub(token="t", api_url=served.api_url)
        change_set, people = find_people(
            event.parse(job, story.event), job, github, last_run_head="", environment=""
        )
    assert change_set.range_source is RangeSource.PUSH_BEFORE
    assert [len(each.commits) for each in change_set.pull_requests] == [3]
    assert change_set.pull_requests[0].method is MergeMethod.MERGE
    assert {each.person.name: each.commits for each in people.authors} == {
        "Margaret Hamilton": 2,
        "Katherine Johnson": 1,
        "Ada Lovelace": 1,
    }
    assert [each.person.name for each in people.mergers] == ["Grace Hopper"]
    assert [(each.person.name, each.state, each.freshness) for each in people.reviewers] == [
        ("Radia Perlman", ReviewState.DISMISSED, Freshness.STALE),
        ("Barbara Liskov", ReviewState.APPROVED, Freshness.FRESH),
    ]
    assert people.unavailable == ()
    assert "Barbara Liskov" in explain(change_set, people)
