# The two commands of the README, and what keeps them true. Needs Python 3.11 or newer, and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header

.PHONY: demo test lint types unit compat compat-check readme requirements clean

demo: $(VENV)/demo
	$(BIN)/schema-audit demo

test: lint types unit

lint: $(VENV)/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/ready
	$(BIN)/mypy

unit: $(VENV)/ready
	$(BIN)/pytest -n 2 --dist loadgroup

# Every migration tool's own command through the action; writes docs/compatibility.md. About a quarter of an hour.
compat: $(VENV)/ready
	$(BIN)/python -m compat.run

# Those tools that CI runs; fails where one does something else than the document says.
compat-check: $(VENV)/ready
	$(BIN)/python -m compat.run --check

readme: $(VENV)/ready
	$(BIN)/python docs/fill_readme.py

requirements:
	for name in requirements requirements-build requirements-demo requirements-dev; do \
		$(COMPILE) $$name.in -o $$name.txt; \
	done

# What is locked is complete: nothing is resolved again, so a newer release of a dependency changes nothing.
$(VENV)/demo: requirements-demo.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) --no-deps --require-hashes -r requirements-demo.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/ready: requirements-dev.txt $(VENV)/demo
	$(PIP) --no-deps --require-hashes -r requirements-dev.txt
	touch $@

clean:
	rm -rf $(VENV) build
