"""Can this run be recorded and attributed? Glue: asked before the command, or nothing is run."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from audit_action import __version__, delivery, pgoptions
from audit_action.delivery import SessionSettings
from audit_action.deployment import Deployment
from audit_action.errors import CannotConnect, NothingWasRun
from audit_action.inherited import pgappname_of_the_user, pgoptions_of_the_user
from audit_action.model import Delivery, RunStatus
from audit_action.network import advice
from audit_action.runner import Runner, bridge_address
from audit_action.settings import DeliveryRule, Settings
from audit_action.trail import Probe, Session, Trail
from audit_action.url_options import as_libpq

_ATTENTION = "The trail needs attention"


def check(settings: Settings, trail: Trail, runner: Runner) -> Session:
    """Whether the trail is there, awake, and works for the logins given; the recorder's session.

    Raises:
        CannotConnect: a login cannot reach the database.
        NothingWasRun: the trail is missing or asleep, or the login may not record.
    """
    if settings.install:
        _session(settings.database_url)
        Trail(settings.database_url).install()
    recorder = _session(settings.audit_database_url)
    one_login = settings.audit_database_url == settings.database_url
    migrates = recorder if one_login else _session(settings.database_url)
    _refuse_without_trail(recorder)
    installed = trail.installed_version()
    if installed != __version__:
        runner.warning(
            f"The trail in {recorder.database} is of version {installed or 'unknown'}, this action of "
            f"version {__version__}. Run `schema-audit install` once more as the role that installed it, or "
            "set `install: true`.",
            title=_ATTENTION,
        )
    for each in trail.status():
        if not each.ok:
            runner.warning(f"{each.check}: {each.detail}", title=_ATTENTION)
    _warn_of_rights(migrates, runner)
    return recorder


def deliver(settings: Settings, run_id: UUID, deployment: Deployment, runner: Runner) -> SessionSettings:
    """What to tell the sessions of this run, once one as the command will open has shown what arrives.

    Raises:
        NothingWasRun: the session settings do not arrive, and `delivery` is require-session.
    """
    urls = {**settings.url_variables, "DATABASE_URL": settings.database_url}
    inherited = pgoptions_of_the_user(settings.inherited_pgoptions)
    sessions = delivery.session_settings(
        told(settings, run_id, deployment),
        run_id=run_id,
        urls=urls,
        write_into=settings.url_variables,
        inherited=inherited,
        inherited_name=pgappname_of_the_user(settings.inherited_pgappname),
    )
    bare = delivery.without_options(sessions, urls=urls, inherited=inherited)
    refused = _probe(sessions).refused
    sessions = bare if refused else _without_refusing_urls(settings, sessions, bare, runner)
    probe = _probe(sessions)
    why = refused or "the session began without them, as behind a pooler that drops them"
    if not refused and sessions.pgoptions == bare.pgoptions:
        why = "a variable of url-variables leads where they are refused"
    way = delivery.carried_by(run_id=run_id, arrived_run_id=probe.run_id, arrived_name=probe.application_name)
    if way is not Delivery.SESSION and settings.delivery is DeliveryRule.REQUIRE_SESSION:
        raise NothingWasRun(
            f"The session settings do not reach the database ({why}), and delivery is require-session, so "
            "nothing was run. Give the database's own address instead of a pooler's, or set `delivery: auto`."
        )
    _say(way, why, runner)
    _tell_of_neighbours(settings, run_id, way, runner)
    return sessions


def told(settings: Settings, run_id: UUID, deployment: Deployment) -> dict[str, str]:
    """The session settings of one run, under their names."""
    return pgoptions.session_settings(
        run_id=run_id,
        run_url=settings.job.run_url,
        change_set=deployment.change_set,
        attribution=deployment.attribution,
    )


def _session(url: str) -> Session:
    try:
        return Trail(url).session()
    except CannotConnect as problem:
        raise CannotConnect(f"{problem} {advice(url, bridge=bridge_address())}".strip()) from problem


def _refuse_without_trail(session: Session) -> None:
    if not session.trail_present:
        raise NothingWasRun(
            f"There is no trail in the database {session.database}, so nothing was run. Install it once, "
            "as a role that may create event triggers: `schema-audit install`, or "
            "`psql -v ON_ERROR_STOP=1 -f sql/install.sql`; or let the action do it with `install: true`."
        )
    if not session.may_record:
        raise NothingWasRun(
            f"The login {session.login} may not record a run in the trail of {session.database}, so nothing "
            f'was run. Grant it: `grant audit_recorder to "{session.login}"` (sql/roles.sql does it).'
        )
    if not session.awake:
        raise NothingWasRun(
            f"The trail in {session.database} is asleep, so nothing was run: an event trigger of it is "
            "missing or disabled, and changes would leave no trace. `schema-audit status` names it. Run "
            "`schema-audit install` as a role that may create event triggers; it sets all of them up again."
        )


def _warn_of_rights(session: Session, runner: Runner) -> None:
    advised = "Migrate as a role that owns what it migrates and nothing else; sql/roles.sql makes one."
    if session.superuser:
        runner.warning(
            f"The login {session.login} is a superuser, who could switch the trail off and change what it "
            f"holds. {advised}"
        )
    elif session.owns_trail:
        runner.warning(
            f"The login {session.login} is a member of the role that owns the trail, and could change what "
            f"it holds. {advised}"
        )
    if not session.may_create:
        runner.warning(
            f"The login {session.login} may create nothing in {session.database}: no schema, and nothing in "
            "any schema. Since PostgreSQL 15 that is so for every new login. If the migration stops with "
            f'"permission denied", let a superuser run `grant create on schema public to "{session.login}"`.'
        )


def _probe(sessions: SessionSettings, url: str = "") -> Probe:
    return Trail(url or sessions.urls["DATABASE_URL"]).probe(
        options=sessions.pgoptions, application_name=sessions.pgappname
    )


def _without_refusing_urls(
    settings: Settings, sessions: SessionSettings, given: SessionSettings, runner: Runner
) -> SessionSettings:
    """The same, with each variable as it was given whose server refuses our options, and only them.

    PGOPTIONS would break the same connections, so they are not told then. Where a server takes neither, the
    address cannot be tried from here, and what the user asked for stands.
    """
    for name in settings.url_variables:
        refused = _probe(sessions, as_libpq(sessions.urls[name], settings.database_url)).refused
        if refused and not _probe(given, as_libpq(given.urls[name], settings.database_url)).refused:
            sessions = replace(
                sessions, urls={**sessions.urls, name: given.urls[name]}, pgoptions=given.pgoptions
            )
            runner.warning(
                f"The server or pooler behind {name} refuses the session settings ({refused}), so neither "
                f"{name} nor PGOPTIONS has them. Give the database's own address, or take {name} out of "
                "url-variables."
            )
    return sessions


def _say(way: Delivery, why: str, runner: Runner) -> None:
    if way is Delivery.SESSION:
        runner.log("The session settings reach the database: sessions that read PGOPTIONS name this run.")
        return
    instead = {
        Delivery.APPLICATION_NAME: "the application's name, which PGAPPNAME carries, tells the run",
        Delivery.OPEN_RUN: "the run is known by being the only open one of its login",
    }[way]
    runner.notice(
        f"The session settings do not reach the database ({why}). Instead {instead}. To have the author in "
        "every session, give the database's own address instead of a pooler's."
    )


def _tell_of_neighbours(settings: Settings, run_id: UUID, way: Delivery, runner: Runner) -> None:
    for each in Trail(settings.audit_database_url).neighbours(run_id):
        which = f"The migration run {each.run_id}, begun {each.started_at:%Y-%m-%d %H:%M %Z}"
        which += f" by {each.run_url}," if each.run_url else ","
        if each.status is RunStatus.ABANDONED:
            runner.warning(
                f"{which} never ended: it is closed as abandoned. Its job was killed, or lost the database. "
                "Its changes keep it, and so does what its login changed until it expired "
                f"({each.expires_at:%Y-%m-%d %H:%M %Z})."
            )
            continue
        whose = (
            "Changes in sessions that bring no settings" if way is Delivery.SESSION else "Changes of this run"
        )
        runner.warning(
            f"{which} of the same login is open too. {whose} cannot be told apart, and will be recorded as "
            "ambiguous, for nobody. Let one run a login migrate at a time (`concurrency:` in the workflow). "
            f"If that job is dead, end its run: select audit.finish_run('{each.run_id}', "
            '\'{"status": "cancelled"}\').'
        )
