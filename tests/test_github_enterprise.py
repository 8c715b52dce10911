"""Is an Enterprise Server asked rightly: older, at its own address, behind a proxy, privately certified?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from graphql import GraphQLSchema, build_schema
from pushes import ADA, BOB, REPOSITORY, found, told

from audit_action.demo.github import SCHEMA, Fault, serving
from audit_action.github_api import GitHub
from audit_action.github_facts import Comparison
from audit_action.model import Unavailable

COMPARE, PULLS = "GET .*/compare/", "DeployedPullRequests"


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema(SCHEMA.read_text())


def without_merge_queue() -> GraphQLSchema:
    """The schema of a server that has no merge queue: our queries name what it does not know."""
    text = SCHEMA.read_text().replace("  ADDED_TO_MERGE_QUEUE_EVENT\n", "")
    return build_schema(text.replace("  | AddedToMergeQueueEvent\n", ""))


@pytest.mark.parametrize("graphql", ["without a merge queue", "none"])
def test_an_enterprise_server_is_asked_by_rest_where_graphql_is_too_old(graphql: str) -> None:
    world, base, head = told(2, 3)
    one = world.pulls[1]
    world.dismiss(one, world.review(one, ADA, "APPROVED"), BOB)
    faults = [Fault(on="POST .*(Deployed|graphql)", status=404, body='{"message": "Not Found"}')]
    with serving(
        world,
        schema=without_merge_queue(),
        page_size=2,
        prefix="/api/v3",
        faults=faults if graphql == "none" else [],
    ) as served:
        change_set, people = found(served, base, head)
    assert [each.method for each in change_set.pull_requests] == ["merge", "merge"]
    assert [each.person.login for each in people.mergers] == ["bob", "bob"]
    assert {each.person.login: each.commits for each in people.authors} == {"ada": 4, "bob": 2}
    assert [(each.person.login, each.state, each.can_write) for each in people.reviewers] == [
        ("bob", "APPROVED", None),
        ("ada", "DISMISSED", None),
        ("bob", "APPROVED", None),
    ]
    assert people.unavailable == ()


def test_commits_of_a_pull_request_that_rest_does_not_list_are_missed() -> None:
    world, base, head = told(1, 260)
    with serving(world, schema=without_merge_queue()) as served:
        change_set, people = found(served, base, head)
    assert [len(each.commits) for each in change_set.pull_requests] == [250]
    (lack,) = people.unavailable
    assert (lack.field, lack.reason) == ("authors", "GitHub showed 250 of 260 commits of #1")


def test_an_enterprise_server_is_found_below_its_own_address(schema: GraphQLSchema) -> None:
    world, base, head = told(1, 1)
    with serving(world, schema=schema, prefix="/api/v3") as served:
        _, people = found(served, base, head)
    assert served.count(PULLS) == 1
    assert people.unavailable == ()


def test_through_a_proxy(schema: GraphQLSchema, monkeypatch: pytest.MonkeyPatch) -> None:
    world, base, head = told(1, 1)
    with serving(world, schema=schema, prefix="/api/v3") as served:
        monkeypatch.setenv("http_proxy", served.api_url.removesuffix("/api/v3"))
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        served.api_url = "http://github.brickyard.example/api/v3"
        _, people = found(served, base, head)
    assert len(people.mergers) == 1


def test_through_a_private_authority(
    schema: GraphQLSchema, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, base, head = told(1, 1)
    certificate, key = certificate_of_our_own(tmp_path)
    tls = SSLContext(PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    with serving(world, schema=schema, tls=tls) as served:
        github = GitHub(token="t", api_url=served.api_url)
        refused = github.compare(REPOSITORY, base, head)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
        assert isinstance(github.compare(REPOSITORY, base, head), Comparison)
    assert isinstance(refused, Unavailable)
    assert "could not be reached" in refused.reason


def certificate_of_our_own(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that no public authority signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "brickyard")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return paths
