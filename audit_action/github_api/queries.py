"""Which GraphQL documents does GitHub answer for us? Each one validates against GitHub's published schema.

Several things of one kind are asked for in one document, each under an alias of its own and with its own
variable: no value is ever written into a document. The documents stay apart because one field that a
GitHub Enterprise Server does not know fails a whole document.
"""

from __future__ import annotations

_ACTOR = """
fragment ActorF on Actor {
  __typename
  login
  ... on User { databaseId name }
  ... on Bot { databaseId }
  ... on Mannequin { databaseId email claimant { login databaseId } }
}
"""

# `user` of a GitActor is typed User: a fragment on Bot there makes GitHub refuse the document.
_COMMIT = """
fragment GitActorF on GitActor { name email user { login databaseId } }
fragment CommitF on Commit {
  oid
  message
  committedDate
  committedViaWeb
  parents(first: 3) { nodes { oid } }
  committer { ...GitActorF }
  authors(first: 25) { nodes { ...GitActorF } }
  signature { state }
}
"""

_REVIEW = """
fragment ReviewF on PullRequestReview {
  fullDatabaseId
  state
  submittedAt
  authorCanPushToRepository
  author { ...ActorF }
  commit { oid committedDate }
}
"""

_PULL_REQUEST = """
fragment PullRequestF on PullRequest {
  number
  title
  url
  merged
  mergedAt
  baseRefName
  headRefName
  headRefOid
  author { ...ActorF }
  mergedBy { ...ActorF }
  mergeCommit { ...CommitF }
  latestOpinionatedReviews(first: 100) { nodes { fullDatabaseId } }
  timelineItems(last: 100, itemTypes: [
    MERGED_EVENT, ADDED_TO_MERGE_QUEUE_EVENT, REMOVED_FROM_MERGE_QUEUE_EVENT,
    AUTO_MERGE_ENABLED_EVENT, AUTO_SQUASH_ENABLED_EVENT, AUTO_REBASE_ENABLED_EVENT, AUTO_MERGE_DISABLED_EVENT,
    REVIEW_DISMISSED_EVENT, HEAD_REF_FORCE_PUSHED_EVENT
  ]) {
    nodes {
      __typename
      ... on MergedEvent { createdAt actor { ...ActorF } }
      ... on AddedToMergeQueueEvent { createdAt actor { ...ActorF } enqueuer { login databaseId } }
      ... on RemovedFromMergeQueueEvent { createdAt actor { ...ActorF } }
      ... on AutoMergeEnabledEvent { createdAt actor { ...ActorF } enabler { login databaseId } }
      ... on AutoSquashEnabledEvent { createdAt actor { ...ActorF } enabler { login databaseId } }
      ... on AutoRebaseEnabledEvent { createdAt actor { ...ActorF } enabler { login databaseId } }
      ... on AutoMergeDisabledEvent { createdAt actor { ...ActorF } }
      ... on ReviewDismissedEvent { createdAt actor { ...ActorF } review { fullDatabaseId } }
      ... on HeadRefForcePushedEvent { createdAt actor { ...ActorF } }
    }
  }
  reviews(last: 100) { totalCount pageInfo { hasPreviousPage startCursor } nodes { ...ReviewF } }
  commits(first: 100) { totalCount pageInfo { hasNextPage endCursor } nodes { commit { ...CommitF } } }
}
"""


def commits(count: int) -> str:
    """So many commits `k0..` of the variables `k0..`, with the pull requests that contain them."""
    return (
        _aliased("DeployedCommits", count, "object(oid: $k{n})", "GitObjectID!", "CommitWithPullRequests")
        + _COMMIT
        + """
fragment CommitWithPullRequests on Commit {
  ...CommitF
  associatedPullRequests(first: 20) {
    nodes { number merged baseRefName baseRepository { nameWithOwner } mergeCommit { oid } }
  }
}
"""
    )


def pull_requests(count: int) -> str:
    """So many pull requests `k0..` of the variables `k0..`."""
    return (
        _aliased("DeployedPullRequests", count, "pullRequest(number: $k{n})", "Int!", "PullRequestF")
        + _ACTOR
        + _COMMIT
        + _REVIEW
        + _PULL_REQUEST
    )


MORE_COMMITS = (
    """
query MoreCommits($owner: String!, $name: String!, $number: Int!, $cursor: String!) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      commits(first: 100, after: $cursor) {
        pageInfo { hasNextPage endCursor }
        nodes { commit { ...CommitF } }
      }
    }
  }
}
"""
    + _COMMIT
)

MORE_REVIEWS = (
    """
query MoreReviews($owner: String!, $name: String!, $number: Int!, $cursor: String!) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      reviews(last: 100, before: $cursor) {
        pageInfo { hasPreviousPage startCursor }
        nodes { ...ReviewF }
      }
    }
  }
}
"""
    + _ACTOR
    + _REVIEW
)

LAST_DEPLOYMENTS = """
query LastDeployments($owner: String!, $name: String!, $environment: String!) {
  repository(owner: $owner, name: $name) {
    deployments(first: 30, environments: [$environment], orderBy: {field: CREATED_AT, direction: DESC}) {
      nodes { commitOid state latestStatus { logUrl } }
    }
  }
}
"""

COMMENTS = """
query Comments($owner: String!, $name: String!, $number: Int!, $cursor: String) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      comments(first: 100, after: $cursor) {
        pageInfo { hasNextPage endCursor }
        nodes { fullDatabaseId viewerDidAuthor createdAt url body }
      }
    }
  }
}
"""


def _aliased(name: str, count: int, field: str, kind: str, fragment: str) -> str:
    names = range(count)
    variables = ", ".join(f"$k{n}: {kind}" for n in names)
    fields = "\n".join(f"    k{n}: {field.replace('{n}', str(n))} {{ ...{fragment} }}" for n in names)
    return f"""
query {name}($owner: String!, $name: String!, {variables}) {{
  repository(owner: $owner, name: $name) {{
{fields}
  }}
}}
"""
