"""Does the runner understand what we say, and obey nobody else?"""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from actions_runner import file_command, printed
from hypothesis import given
from hypothesis import strategies as st

from audit_action.model import RunnerFiles
from audit_action.runner import SUMMARY_LIMIT, Runner
from audit_action.settings import runner_files

HOSTILE = (
    "::set-output name=run-id::forged",
    "  ::error::forged",
    "harmless ##[add-mask]forged",
    "##[set-output name=run-id;]forged",
    "a\r::warning::forged",
    "a\r\n::save-state name=x::forged",
    "::stop-commands::forged",
    "::add-mask::forged",
    "\N{OGHAM SPACE MARK}::error::forged",
)


@pytest.fixture
def files(tmp_path: Path) -> RunnerFiles:
    folder = tmp_path / "_runner_file_commands"
    folder.mkdir()
    paths = {name: folder / name for name in ("output", "env", "state", "summary")}
    for path in paths.values():
        path.touch()
    return RunnerFiles(in_actions=True, temp=tmp_path, temp_outside=Path("/outside/_temp"), **paths)


@pytest.fixture
def out() -> io.BytesIO:
    return io.BytesIO()


def log_of(out: io.BytesIO) -> str:
    return out.getvalue().decode()


# --- Files ----------------------------------------------------------------------------------------


def test_each_call_has_its_file(files: RunnerFiles, out: io.BytesIO) -> None:
    runner = Runner(files, out)
    assert runner.output("run-id", "1")
    assert runner.export("PGOPTIONS", "-c audit.run_id=1")
    assert runner.save_state("run", "1")
    assert runner.summary("# Title")
    assert file_command(files.output.read_text()) == {"run-id": "1"}
    assert file_command(files.env.read_text()) == {"PGOPTIONS": "-c audit.run_id=1"}
    assert file_command(files.state.read_text()) == {"run": "1"}
    assert files.summary.read_text() == "# Title\n"
    assert log_of(out) == ""


@given(values=st.lists(st.text(st.characters(codec="utf-8")), min_size=1, max_size=4))
def test_a_value_of_any_content_comes_back(
    tmp_path_factory: pytest.TempPathFactory, values: list[str]
) -> None:
    path = tmp_path_factory.mktemp("files") / "output"
    path.touch()
    runner = Runner(RunnerFiles(in_actions=True, output=path), io.BytesIO())
    for number, value in enumerate(values):
        runner.output(f"value-{number}", value)
    read = file_command(path.read_bytes().decode())
    assert read == {f"value-{number}": value for number, value in enumerate(values)}


@pytest.mark.parametrize("name", ["", "a=b", "a<<b", "a\nb", "a\rb"])
def test_a_name_cannot_break_the_format(files: RunnerFiles, out: io.BytesIO, name: str) -> None:
    with pytest.raises(ValueError, match="cannot be the name"):
        Runner(files, out).output(name, "value")


def test_a_file_that_is_not_mounted_is_told_and_nothing_more(tmp_path: Path, out: io.BytesIO) -> None:
    gone = tmp_path / "not-mounted" / "file"
    runner = Runner(RunnerFiles(in_actions=True, output=gone, summary=gone, temp=gone), out)
    said = [
        runner.output("a", "1"),
        runner.export("B", "2"),
        runner.save_state("c", "3"),
        runner.summary("d"),
        runner.keep("report.json", "{}"),
    ]
    assert not any(said)
    log = printed(log_of(out))
    assert len(log.data_of("debug")) == 5
    assert log.lines == []


def test_a_summary_stays_below_the_limit(files: RunnerFiles, out: io.BytesIO) -> None:
    files.summary.write_bytes(b"x" * 100_000)  # the migration command wrote to it as well
    Runner(files, out).summary("a line of näive text\n" * 100_000)
    written = files.summary.read_bytes()
    assert SUMMARY_LIMIT - 100 < len(written) <= SUMMARY_LIMIT
    assert written.decode().endswith("text\n\nThe rest does not fit into a job summary.\n")


def test_a_full_summary_is_left_alone(files: RunnerFiles, out: io.BytesIO) -> None:
    files.summary.write_bytes(b"x" * SUMMARY_LIMIT)
    Runner(files, out).summary("more")
    assert files.summary.stat().st_size == SUMMARY_LIMIT


def test_a_kept_file_belongs_to_the_owner_of_its_folder(files: RunnerFiles, out: io.BytesIO) -> None:
    if os.geteuid() == 0:
        os.chown(files.temp, 1001, 1001)
    path = Runner(files, out).keep("report.json", "{}\n")
    inside = files.temp / "schema-audit" / "report.json"
    assert path == "/outside/_temp/schema-audit/report.json"
    assert inside.read_text() == "{}\n"
    owner = files.temp.stat().st_uid
    assert [inside.stat().st_uid, inside.parent.stat().st_uid] == [owner, owner]


@pytest.mark.parametrize(
    ("temp", "workspace", "outside"),
    [
        ("/github/runner_temp", "/home/runner/work/shop", "/home/runner/work/_temp"),
        ("/github/runner_temp", "", "/github/runner_temp"),
        ("/home/runner/work/_temp", "/home/runner/work/shop", "/home/runner/work/_temp"),
    ],
)
def test_the_path_that_other_steps_see(temp: str, workspace: str, outside: str) -> None:
    files = runner_files({"RUNNER_TEMP": temp, "RUNNER_WORKSPACE": workspace, "GITHUB_ACTIONS": "true"})
    assert files == RunnerFiles(in_actions=True, temp=Path(temp), temp_outside=Path(outside))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away; the container tests do it too")
def test_what_root_made_goes_to_the_owner_of_the_folder(tmp_path: Path, out: io.BytesIO) -> None:
    workspace, elsewhere = tmp_path / "workspace", tmp_path / "elsewhere"
    (workspace / "a" / "b").mkdir(parents=True)
    (workspace / "a" / "b" / "file").touch()
    (workspace / "a" / "other").touch()
    elsewhere.touch()
    (workspace / "link").symlink_to(elsewhere)
    os.chown(workspace, 1001, 1002)
    os.chown(workspace / "a" / "other", 1003, 1003)
    Runner(RunnerFiles(in_actions=True), out).give_back(workspace, tmp_path / "missing")
    owners = {path.name: (path.lstat().st_uid, path.lstat().st_gid) for path in workspace.rglob("*")}
    assert owners == {
        "a": (1001, 1002),
        "b": (1001, 1002),
        "file": (1001, 1002),
        "link": (1001, 1002),
        "other": (1003, 1003),
    }
    assert elsewhere.stat().st_uid == 0


# --- Commands ---------------------------------------------------------------------------------------


def test_commands_are_understood(files: RunnerFiles, out: io.BytesIO) -> None:
    runner = Runner(files, out)
    runner.mask("p%40ss\nword")
    runner.warning("100 % of it\r\nwent wrong: really, all", title="a: b, c")
    with runner.group("Migrate"):
        runner.log("one\ntwo")
    log = printed(log_of(out))
    assert [(each.name, each.data) for each in log.commands] == [
        ("add-mask", "p%40ss\nword"),
        ("warning", "100 % of it\r\nwent wrong: really, all"),
        ("group", "Migrate"),
        ("endgroup", ""),
    ]
    assert log.commands[1].properties == {"title": "a: b, c"}
    assert log.lines == ["one", "two"]


@pytest.mark.parametrize("text", HOSTILE)
def test_untrusted_text_is_no_command(files: RunnerFiles, out: io.BytesIO, text: str) -> None:
    runner = Runner(files, out)
    runner.log(text)
    runner.log("by " + text)
    runner.warning(text, title=text)
    with runner.group(text):
        pass
    assert [each.name for each in printed(log_of(out)).commands] == ["warning", "group", "endgroup"]
    assert "forged" in log_of(out)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_commands_output_is_no_command(files: RunnerFiles, out: io.BytesIO, text: str) -> None:
    runner = Runner(files, out)
    with runner.stop_commands() as sink:
        sink.write(text.encode() + b"\n")
        sink.write(b"no newline at the end")
    runner.notice("obeyed again")
    log = printed(log_of(out))
    assert [each.name for each in log.commands] == ["add-mask", "stop-commands", "notice"]
    assert text.encode() in out.getvalue()
    assert log.lines[-1] == "no newline at the end"


def test_the_word_that_starts_commands_again_is_random_and_masked(
    files: RunnerFiles, out: io.BytesIO
) -> None:
    runner = Runner(files, out)
    for _ in range(2):
        with runner.stop_commands():
            pass
    log = printed(log_of(out))
    tokens = log.data_of("stop-commands")
    assert tokens == log.data_of("add-mask")
    assert len({*tokens}) == 2


def test_commands_work_again_after_a_failure(files: RunnerFiles, out: io.BytesIO) -> None:
    runner = Runner(files, out)
    with pytest.raises(OSError, match="gone"), runner.stop_commands():
        raise OSError("gone")
    runner.error("told")
    assert printed(log_of(out)).data_of("error") == ["told"]


def test_a_stream_that_takes_a_part_gets_the_rest(files: RunnerFiles) -> None:
    """Unbuffered standard output is such a stream: a signal in the middle of a write cuts it."""

    class Reluctant(io.BytesIO):
        def write(self, chunk: memoryview, /) -> int:
            return super().write(chunk[:7])

    out = Reluctant()
    with Runner(files, out).stop_commands() as sink:
        sink.write(b"x" * 100_000)
    assert printed(log_of(out)).lines == ["x" * 100_000]


def test_outside_of_github_actions_it_is_plain_text(out: io.BytesIO) -> None:
    runner = Runner(RunnerFiles(), out)
    runner.mask("hunter22")
    runner.debug("not shown")
    runner.output("run-id", "1")
    runner.summary("# Summary")
    runner.warning("careful", title="Trail")
    with runner.group("Migrate"), runner.stop_commands() as sink:
        sink.write(b"open line")
    runner.error("failed")
    assert log_of(out).splitlines() == [
        "run-id=1",
        "# Summary",
        "warning: Trail: careful",
        "Migrate",
        "open line",
        "error: failed",
    ]
