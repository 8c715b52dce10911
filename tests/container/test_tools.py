"""Do the migration tools that people name work inside the image, and are their sessions known?"""

from __future__ import annotations

import json

import pytest
from jobs import on_push
from runner_host import RunnerHost, docker
from services import ServiceDatabase

pytestmark = [pytest.mark.docker, pytest.mark.xdist_group("docker")]

ALEMBIC = {
    "alembic.ini": "[alembic]\nscript_location = db\n",
    "db/env.py": """
import os
from alembic import context
from sqlalchemy import create_engine

url = os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+psycopg:", 1)
with create_engine(url).begin() as connection:
    context.configure(connection=connection)
    context.run_migrations()
""",
    "db/versions/1_widget.py": """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "1", None


def upgrade():
    op.create_table("widget", sa.Column("id", sa.Integer))
""",
}
DJANGO_LIKE = """
from shop import settings
import subprocess, os
subprocess.run(["psql", os.environ["DATABASE_URL"], "-qc", settings.STATEMENT], check=True)
"""


def deliveries(audited: ServiceDatabase, table: str) -> list[tuple[str]]:
    return audited.rows(
        f"select distinct delivery from audit.history where object_identity = 'public.{table}'"
    )


def test_psql_with_files(host: RunnerHost, audited: ServiceDatabase) -> None:
    (host.workspace / "migrations").mkdir()
    (host.workspace / "migrations/1.sql").write_text("create table widget (id int);\n")
    (host.workspace / "migrations/2.sql").write_text("alter table widget add column name text;\n")
    host.own()
    stage = on_push(
        host,
        database_url=audited.url,
        working_directory="migrations",
        command='for file in *.sql; do psql "$DATABASE_URL" -v ON_ERROR_STOP=1 -f "$file"; done',
    ).main()
    assert stage.exit_code == 0, stage.stdout + stage.stderr
    assert stage.outputs["transactions"] == "2"
    assert deliveries(audited, "widget") == [("session",)]


def test_alembic_after_a_pip_install(host: RunnerHost, audited: ServiceDatabase) -> None:
    (host.workspace / "db/versions").mkdir(parents=True)
    for name, text in ALEMBIC.items():
        (host.workspace / name).write_text(text)
    host.own()
    install = "pip install --quiet alembic 'psycopg[binary]'"
    stage = on_push(host, database_url=audited.url, command=f"{install} && alembic upgrade head").main()
    assert stage.exit_code == 0, stage.stdout + stage.stderr
    assert deliveries(audited, "widget") == [("session",)]


def test_a_script_that_imports_its_neighbours(host: RunnerHost, audited: ServiceDatabase) -> None:
    """As Django's manage.py does: our isolation is not the command's."""
    (host.workspace / "shop").mkdir()
    (host.workspace / "shop/settings.py").write_text("STATEMENT = 'create table widget (id int)'\n")
    (host.workspace / "manage.py").write_text(DJANGO_LIKE)
    host.own()
    stage = on_push(host, database_url=audited.url, command="python manage.py migrate").main()
    assert stage.exit_code == 0, stage.stdout + stage.stderr
    assert deliveries(audited, "widget") == [("session",)]


def test_the_image(image: str) -> None:
    config = json.loads(docker("image", "inspect", image))[0]["Config"]
    assert config["Entrypoint"] == ["/app/entrypoint.py"]
    assert config.get("Healthcheck") is None
    assert config.get("User", "") == ""  # the runner needs root (docs.github.com, "Dockerfile support")
    labels = {name.removeprefix("org.opencontainers.image.") for name in config["Labels"]}
    assert labels >= {"title", "description", "licenses", "version", "revision"}
    run = ("run", "--rm", "--entrypoint", "bash", image, "-c")
    versions = docker(*run, "psql --version; node --version; npm --version; python --version; git --version")
    assert "psql (PostgreSQL) 17." in versions
    assert "\nv24." in versions
    assert "\nPython 3.13." in versions
    # What Kubernetes runners call inside (actions/runner-container-hooks), and no compiler.
    docker(*run, "type sh tail tar find env mv")
    assert docker(*run, "type gcc cc make g++ 2>/dev/null || true") == ""
    assert docker(*run, "/opt/schema-audit/bin/schema-audit --version")
