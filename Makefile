# The front door. Every target sets up what it needs on a machine with Python 3.11 or newer and
# nothing else; once set up, nothing here touches the network.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

UV_VERSION := 0.13.8
PYTHONS ?= python3.11 python3.12 python3.13 python3.14 python3 python
TOOLS := .tools/uv-$(UV_VERSION)
READY := .venv/ready
BIN := .venv/bin

# The world that `make demo` makes up: small, province or nation.
SCALE ?= small
# Processes for the slower tests; 0 runs them in one.
WORKERS ?= auto
# More for pytest, for instance PYTEST_ARGS="-x -k voucher".
PYTEST_ARGS ?=
# More for the benchmarks.
BENCHMARK_ARGS ?=

# What the pages load, built from these.
ASSETS := marketplace/web/assets/built/manifest.json
PAGE_SOURCES := package-lock.json tools/build_assets.py frontend \
	$(shell find frontend/src marketplace/web/templates -type f)

# Seconds for all of them, so they go first and alone.
QUICK := $(wildcard tests/rules tests/architecture)

.PHONY: help demo test check lock benchmark clean format assets

help:
	@echo 'make demo       a province made up for trying things out (SCALE=small|province|nation)'
	@echo 'make test       the tests, quick ones first (PYTEST_ARGS="-x -k voucher")'
	@echo 'make check      style, types, layers, and the documents against the code'
	@echo 'make format     put the code into its style'
	@echo 'make assets     what the pages load: scripts and the style sheet'
	@echo 'make lock       resolve the dependencies anew into uv.lock'
	@echo 'make benchmark  the figures of docs/operations.md on this machine'
	@echo 'make clean      remove what these targets made; the data folder stays'

demo: $(READY) $(ASSETS)
	$(BIN)/marketplace demo --scale $(SCALE)

# A choice of tests may leave one of the two groups empty, which pytest reports as 5.
test: $(READY) $(ASSETS)
	@$(BIN)/python tools/find_browser.py
	$(BIN)/pytest -q -n 0 $(QUICK) $(PYTEST_ARGS) \
		|| { code=$$?; [[ $$code == 5 && -n "$(PYTEST_ARGS)" ]] || exit $$code; }
	$(BIN)/pytest -q -n $(WORKERS) tests $(QUICK:%=--ignore=%) $(PYTEST_ARGS) \
		|| { code=$$?; [[ $$code == 5 && -n "$(PYTEST_ARGS)" ]] || exit $$code; }

check: $(READY) $(ASSETS)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python tools/build_assets.py --check
	$(BIN)/pytest -q tests/architecture

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

benchmark: $(READY)
	$(BIN)/python -m benchmarks $(BENCHMARK_ARGS)

# What one machine's settings say about indexes has no place in a lock that every machine uses.
lock: $(TOOLS)
	env -u UV_INDEX -u UV_INDEX_URL -u UV_DEFAULT_INDEX -u UV_EXTRA_INDEX_URL -u UV_FIND_LINKS \
		.tools/bin/uv lock --no-config --python .tools/bin/python

assets: $(ASSETS)

$(ASSETS): $(READY) $(PAGE_SOURCES)
	@$(BIN)/python tools/build_assets.py

clean:
	rm -rf marketplace/web/assets/built
	rm -rf .venv .tools build dist node_modules
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .schemathesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment is as the lock says. What was fetched before is not fetched again: the first try
# uses what is at hand, so that a changed pyproject.toml needs no network either. The last one trusts
# what the machine trusts: uv brings authorities of its own and does not know that of a house's proxy.
SYNC := .tools/bin/uv sync --frozen --no-python-downloads --python .tools/bin/python
$(READY): $(TOOLS) pyproject.toml uv.lock
	@$(SYNC) --offline --quiet 2>/dev/null || { echo '$(SYNC)'; $(SYNC); } \
		|| { echo 'once more, with the certificates of this machine'; $(SYNC) --system-certs; }
	@touch $@

# uv in an environment of its own, so that ours is never the one that changes itself.
# Each candidate is run and not only looked up: version managers put names on the PATH that fail.
$(TOOLS):
	@for candidate in $(PYTHONS); do \
		if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			python="$$candidate"; break; \
		fi; \
	done; \
	if [[ -z "$${python:-}" ]]; then \
		echo "Python 3.11 or newer is needed. Tried: $(PYTHONS)." >&2; \
		echo "Install one, or name one: make PYTHONS=/path/to/python3" >&2; \
		exit 1; \
	fi; \
	rm -rf .tools; \
	if ! "$$python" -m venv .tools; then \
		rm -rf .tools; \
		echo "$$python cannot make virtual environments." >&2; \
		echo "On Debian and Ubuntu: apt install python3-venv" >&2; \
		exit 1; \
	fi; \
	.tools/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@touch $@
