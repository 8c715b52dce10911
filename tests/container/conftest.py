"""What do the container tests start from? The built image, and a PostgreSQL service on the job's network."""

from __future__ import annotations

import itertools
import subprocess
import uuid
from collections.abc import Callable, Iterator
from ipaddress import ip_network
from pathlib import Path

import pytest
from psycopg import sql
from runner_host import RunnerHost, docker, engine_runs
from services import BASE, START, Service, ServiceDatabase

from audit_action.demo.postgres import wheel_bin

ROOT = Path(__file__).parent.parent.parent
NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def image() -> Iterator[str]:
    """The action's image, built as the runner does it; what was built before comes from the cache."""
    if not engine_runs():
        pytest.skip("NO DOCKER ENGINE: the container action is not tested here")
    name = f"schema-audit-action:{uuid.uuid4().hex}"
    built = subprocess.run(
        (
            "docker",
            "build",
            "-t",
            name,
            "-t",
            "schema-audit-action:tested",
            "-f",
            str(ROOT / "Dockerfile"),
            str(ROOT),
        ),
        capture_output=True,
        text=True,
        check=False,
    )
    if built.returncode and any(
        word in built.stderr for word in ("pull access denied", "no such host", "dial tcp")
    ):
        pytest.skip(
            f"NO BASE IMAGES AND NO REGISTRY: the container action is not tested here: {built.stderr}"
        )
    assert built.returncode == 0, built.stdout[-4000:] + built.stderr[-4000:]
    yield name
    docker("rmi", name)


@pytest.fixture(scope="session")
def service(image: str) -> Iterator[Service]:
    """`services: postgres`, reached by that name from the job's containers."""
    unique = uuid.uuid4().hex
    network, container, admin_password = f"github_network_{unique}", f"postgres_{unique}", "postgres"
    programs = wheel_bin(18)
    package = programs.parent.parent
    libraries = package.with_name(f"{package.name}.libs")
    mounts = [f"{path}:/wheel/{path.name}:ro" for path in (package, libraries) if path.is_dir()]
    docker("network", "create", network)
    try:
        docker(
            *("run", "--detach", "--name", container, "--network", network, "--network-alias", "postgres"),
            *("-e", f"POSTGRES_PASSWORD={admin_password}"),
            *("-e", f"BIN=/wheel/{programs.relative_to(package.parent)}"),
            *(word for mount in mounts for word in ("-v", mount)),
            *(BASE, "bash", "-c", START),
        )
        template = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{.Gateway}}{{end}}"
        address, gateway = docker("inspect", "-f", template, container).split()
        made = Service(network=network, address=address, gateway=gateway, admin_password=admin_password)
        made.wait()
        yield made
    finally:
        docker("rm", "--force", "--volumes", container)
        docker("network", "rm", network)


@pytest.fixture
def database(service: Service) -> Iterator[ServiceDatabase]:
    """An empty database with a login `ci_…` for the migration, who owns it and is nobody special."""
    name = f"shop_{next(NUMBERS)}"
    login, password = f"ci_{name}", uuid.uuid4().hex
    with service.connect() as admin:
        role, base = sql.Identifier(login), sql.Identifier(name)
        admin.execute(sql.SQL("create role {} login password {}").format(role, sql.Literal(password)))
        admin.execute(sql.SQL("create database {} owner {}").format(base, role))
        yield ServiceDatabase(
            name=name,
            login=login,
            password=password,
            address=service.address,
            admin_password=service.admin_password,
        )
        admin.execute(sql.SQL("drop database {} (force)").format(base))
        admin.execute(sql.SQL("drop role {}").format(role))


@pytest.fixture
def audited(database: ServiceDatabase, service: Service, image: str) -> ServiceDatabase:
    """The same with the trail, installed by an administrator, and the login its recorder."""
    site = "/opt/schema-audit/lib/python3.13/site-packages/audit_action/sql/install.sql"
    psql = ("psql", "--no-psqlrc", "--quiet", "-v", "ON_ERROR_STOP=1", "-d", database.service_admin)
    run = ("run", "--rm", "--network", service.network, "--entrypoint", "bash", image)
    docker(*run, "-c", 'exec "$@"', "psql", *psql, "-f", site)
    with service.connect(database.name) as admin:
        admin.execute(sql.SQL("grant audit_recorder to {}").format(sql.Identifier(database.login)))
    return database


@pytest.fixture
def new_host(tmp_path: Path, image: str, service: Service) -> Iterator[Callable[..., RunnerHost]]:
    """Makes runners, each with one job on the service's network."""
    made: list[RunnerHost] = []

    def make(*, network: str | None = service.network) -> RunnerHost:
        made.append(RunnerHost(tmp_path / f"runner-{len(made)}", image=image, network=network))
        return made[-1]

    yield make
    for host in made:
        host.close()


@pytest.fixture
def host(new_host: Callable[..., RunnerHost]) -> RunnerHost:
    return new_host()


@pytest.fixture
def bridge(image: str) -> str:
    """This machine's address on the default bridge."""
    subnet = docker("network", "inspect", "bridge", "-f", "{{range .IPAM.Config}}{{.Subnet}}{{end}}")
    return str(next(ip_network(subnet).hosts()))
