"""Does the document say what was found when the tools were run, and is every one of them attributed?"""

from __future__ import annotations

import re

import pytest

from compat.document import DOCUMENT, Result, read_results, render
from compat.tools import HERE, tools

WAYS = {"session", "application_name", "open_run"}
ALONE = "fails, without the action too"
RESULTS = {each.key: each for each in read_results()}
RAN = [each for each in RESULTS.values() if not each.not_run]


def test_the_document_is_what_the_results_say() -> None:
    assert DOCUMENT.read_text() == render(read_results()), "make compat writes it"


def test_every_tool_of_the_table_has_a_result_and_no_other() -> None:
    assert list(RESULTS) == [each.key for each in tools()]


@pytest.mark.parametrize("tool", tools(), ids=lambda tool: tool.key)
def test_what_the_table_says_of_a_tool_is_in_its_result(tool) -> None:
    stored = RESULTS[tool.key]
    assert (stored.ci, stored.remark) == (tool.ci, tool.remark)
    assert bool(stored.not_run) == bool(tool.not_run), "a tool that can be run is run"


@pytest.mark.parametrize("result", RAN, ids=lambda result: result.key)
def test_every_change_of_a_tool_found_its_run_and_its_author(result: Result) -> None:
    assert set(result.direct.split(" + ")) <= WAYS
    assert result.in_url in {"", "refuses the parameter"} or set(result.in_url.split(" + ")) <= WAYS
    assert result.pooled == ALONE or set(result.pooled.split(" + ")) <= WAYS - {"session"}
    assert result.intact


def test_the_main_ways_are_all_there() -> None:
    assert {each.direct for each in RAN} == WAYS
    assert sum(each.ci for each in RAN) >= 10


@pytest.mark.parametrize(
    "path",
    sorted([*HERE.rglob("package-lock.json"), *HERE.rglob("requirements.txt")]),
    ids=lambda path: str(path.relative_to(HERE)),
)
def test_lock_files_name_no_registry(path) -> None:
    text = path.read_text()
    assert not re.search(r'"resolved"|--index-url|--find-links', text)
    assert re.search(r"sha(256|512)", text)
