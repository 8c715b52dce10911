"""What can one do from a terminal? The same flow outside GitHub Actions, and the care of the trail."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence

from audit_action import __version__, event
from audit_action.attribute import explain, find_people
from audit_action.dashboard import arguments as dashboard
from audit_action.errors import BadInput
from audit_action.github_api import GitHub
from audit_action.main import action, bounded, environment
from audit_action.migration import output_of
from audit_action.runner import Runner
from audit_action.settings import Settings, database_url, runner_files
from audit_action.trail import Trail


def main(argv: Sequence[str] | None = None) -> int:
    """The console script; the exit code of design 4.7."""
    environ = environment()
    arguments = _parser().parse_args(argv)
    runner = Runner(runner_files(environ), sys.stdout.buffer)
    commands = {
        "demo": _demo,
        "install": _install,
        "status": _status,
        "verify": _verify,
        "run": _run,
        "dashboard": dashboard.dashboard,
        "export": dashboard.export,
    }
    return bounded(runner, lambda: commands[arguments.subcommand](arguments, environ, runner))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="schema-audit",
        description="Who changed this schema, and who let it through: the answer, kept inside PostgreSQL.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    subcommands = parser.add_subparsers(dest="subcommand", required=True, metavar="SUBCOMMAND")
    demo = subcommands.add_parser(
        "demo", help="show the whole flow on a throw-away PostgreSQL on this machine"
    )
    demo.add_argument("--dashboard", action="store_true", help="and then serve its history as web pages")
    install = _with_database(
        subcommands.add_parser("install", help="install or upgrade the trail in a database")
    )
    install.add_argument(
        "--for-dashboard",
        action="store_true",
        help="and the indexes that make the dashboard's filters fast from about 100,000 events on; "
        "every DDL command pays for them",
    )
    _with_database(subcommands.add_parser("status", help="check that the trail is whole; exit 1 when not"))
    verify = _with_database(
        subcommands.add_parser(
            "verify", help="check that nothing in the trail was changed since it was sealed; exit 1 when so"
        )
    )
    verify.add_argument(
        "--digest", metavar="HEX", help="of an earlier job summary: is it still in the chain?"
    )
    run = _with_database(subcommands.add_parser("run", help="run a migration command as a migration run"))
    run.add_argument("--environment", default="", help="names the target: production, staging")
    run.add_argument(
        "--explain-attribution",
        action="store_true",
        help="run nothing: say who is behind the deployment of GITHUB_EVENT_PATH, asked with GITHUB_TOKEN, "
        "from which source each name comes, and why one is missing",
    )
    run.add_argument("command", nargs="*", metavar="COMMAND", help="after --: the command and its arguments")
    dashboard.add(subcommands)
    return parser


def _with_database(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument(
        "--database-url", default="", metavar="URL", help="the database (default: the variable DATABASE_URL)"
    )
    return parser


def _demo(arguments: argparse.Namespace, environ: Mapping[str, str], runner: Runner) -> int:
    from audit_action.demo.show import show  # its packages are an extra

    return show(environ, dashboard=arguments.dashboard)


def _install(arguments: argparse.Namespace, environ: Mapping[str, str], runner: Runner) -> int:
    Trail(database_url(arguments.database_url, environ)).install(for_dashboard=arguments.for_dashboard)
    runner.log("The trail is installed.")
    return 0


def _status(arguments: argparse.Namespace, environ: Mapping[str, str], runner: Runner) -> int:
    checks = Trail(database_url(arguments.database_url, environ)).status()
    for check in checks:
        runner.log(f"{'ok ' if check.ok else 'BAD'} {check.check}: {check.detail}")
    return 0 if all(check.ok for check in checks) else 1


def _verify(arguments: argparse.Namespace, environ: Mapping[str, str], runner: Runner) -> int:
    findings = Trail(database_url(arguments.database_url, environ)).verify(arguments.digest)
    for each in findings:
        block = "" if each.block is None else f"block {each.block}, "
        runner.log(f"{'ok ' if each.ok else 'BAD'} {block}{each.subject}: {each.detail}")
    return 0 if all(each.ok for each in findings) else 1


def _run(arguments: argparse.Namespace, environ: Mapping[str, str], runner: Runner) -> int:
    if arguments.explain_attribution:
        return _explain(arguments, environ, runner)
    if not arguments.command:
        raise BadInput("There is no command to run: give one after --, for instance `-- psql -f x.sql`.")
    inputs = {
        "INPUT_DATABASE-URL": database_url(arguments.database_url, environ),
        "INPUT_ENVIRONMENT": arguments.environment,
        "INPUT_WORKING-DIRECTORY": ".",
    }
    return action(Settings.from_environ({**environ, **inputs}), environ, runner, command=arguments.command)


def _explain(arguments: argparse.Namespace, environ: Mapping[str, str], runner: Runner) -> int:
    """The attribution of an event, without a migration; a database that is named tells its last run."""
    url = arguments.database_url or environ.get("DATABASE_URL", "")
    inputs = {"INPUT_DATABASE-URL": url or "postgresql:", "INPUT_ENVIRONMENT": arguments.environment}
    settings = Settings.from_environ({**environ, **inputs})
    trigger = event.parse(settings.job, settings.event_path.read_text() if settings.event_path else "")
    trail = Trail(url) if url else None
    last = trail and trail.last_success(repository=trigger.repository, environment=settings.environment)
    token = settings.github_token or environ.get("GITHUB_TOKEN", "")
    change_set, people = find_people(
        trigger,
        settings.job,
        GitHub(token=token, api_url=settings.api_url) if token else None,
        last_run_head=last.head_sha if last else "",
        environment=settings.environment,
        local_git=lambda argv: output_of(argv, cwd=settings.workspace, timeout=10),
    )
    if not url:
        runner.log("No database was named, so its last run is not known.")
    runner.log(explain(change_set, people))
    return 0
