# Kaval: two commands do everything: `make demo` and `make test`. `make` alone lists the rest.
#
# Nothing here needs root but `make system`, which installs Debian packages and says which.

SHELL := /bin/bash
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
LOCK := requirements/dev.txt
STAMP := $(VENV)/.installed
PYTEST_WORKERS ?= 2

.PHONY: help
help:
	@echo "make demo     set up, build evidence, examine it, report, compare with the truth; then serve an invented unit"
	@echo "make test     set up, then lint, types, boundaries and all tests"
	@echo "make system   install the Debian packages of requirements/system.txt (asks apt; needs root)"
	@echo "make quick    the tests without the slow ones"
	@echo "make docs     write the generated pages of the reference"
	@echo "make lock     choose the newest allowed versions again and pin them with hashes"
	@echo "make clean    remove what make made, never what you made"

# ---- setting up ------------------------------------------------------------------------------------------------

.PHONY: system
system:
	@requirements/install-system

.PHONY: setup
setup: $(STAMP)

$(STAMP): $(LOCK) pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is missing; on Debian 12: apt install python3.11 python3.11-venv"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "the venv module is missing: make system, or apt install python3-venv"; exit 1; }
	@requirements/check-system
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(LOCK)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	$(BIN)/python -m compileall -q src demonstration
	@touch $@

# The second opinion on PDQ has to be compiled; where there is no compiler its tests are skipped, plainly.
ORACLE := $(VENV)/.oracle
$(ORACLE): $(STAMP) requirements/oracle.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/oracle.txt \
		|| echo "setup: pdqhash could not be built (make system installs g++); the tests against it will be skipped"
	@touch $@

.PHONY: lock
lock:
	$(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
		--extra dev --extra fast --extra cluster --extra platform pyproject.toml requirements/build.in --output-file requirements/dev.txt
	$(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
		pyproject.toml --output-file requirements/run.txt
	$(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
		--extra platform pyproject.toml --output-file requirements/platform.txt
	echo "pdqhash" | $(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header --no-annotate \
		--python-version 3.11 --constraint requirements/dev.txt - --output-file requirements/oracle.txt

# ---- the main job ----------------------------------------------------------------------------------------------

.PHONY: demo
demo: setup
	$(BIN)/python -m demonstration run --out demo
	$(BIN)/python -m demonstration unit --out demo/unit

# ---- checks ----------------------------------------------------------------------------------------------------

.PHONY: lint types boundaries
lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

boundaries: setup
	$(BIN)/lint-imports

.PHONY: test quick
test: lint types boundaries $(ORACLE)
	$(BIN)/python -m pytest -n $(PYTEST_WORKERS) --durations=15
	tests/casework/postgres $(BIN)/python -m pytest -n $(PYTEST_WORKERS) tests/casework

quick: setup
	$(BIN)/python -m pytest -n $(PYTEST_WORKERS) -m "not slow"

# ---- documents -------------------------------------------------------------------------------------------------

.PHONY: docs
docs: setup
	$(BIN)/python -m kaval.cli.documentation docs/reference

.PHONY: clean
clean:
	rm -rf $(VENV) demo build dist .mypy_cache .ruff_cache .hypothesis .import_linter_cache
