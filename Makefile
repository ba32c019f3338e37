# `make` alone prints the targets. Every target sets up what it needs.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
ROOT   := $(shell test $$(id -u) = 0 || echo sudo)  # what installs Debian's packages

.DEFAULT_GOAL := help
.PHONY: help demo serve test lint types tests test-browser test-cluster test-spark soak fuzz golden bench bench-cleaning crawl format lock clean

help: ## print the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 24

$(STAMP): pyproject.toml .ci/requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "copydesk needs Python 3.11 or newer; call make with PYTHON=python3.11"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing into $(VENV) (once)…"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement .ci/requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(STAMP) ## crawl the bundled news site twice and tell what came of it
	@$(BIN)/copydesk demo

test: lint types tests ## lint, types and tests

lint: $(STAMP) ## ruff
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: $(STAMP) ## mypy --strict
	@$(BIN)/mypy

tests: $(STAMP) ## pytest
	@$(BIN)/pytest

test-browser: $(STAMP) ## the reading room in Chromium, with axe-core: what is missing is installed
	@command -v chromium >/dev/null || { $(ROOT) apt-get update -qq && $(ROOT) apt-get install -y -qq chromium; } || { echo "put a chromium on the path, then try again"; exit 2; }
	@$(BIN)/python -c 'import playwright' 2>/dev/null || $(BIN)/python -m pip install --quiet --disable-pip-version-check 'playwright>=1.50,<2'
	@test -s data/browser/axe.min.js || { mkdir -p data/browser && cd data/browser && npm pack --silent axe-core@4 >/dev/null \
		&& tar -xzf axe-core-*.tgz --strip-components=1 package/axe.min.js && rm axe-core-*.tgz; }
	@$(BIN)/pytest -n 2 tests/browser

test-cluster: $(STAMP) ## workers and a real Redis (Debian's, installed here) killed in all ways: five minutes
	@command -v redis-server >/dev/null || { $(ROOT) apt-get update -qq && RUNLEVEL=1 $(ROOT) apt-get install --yes --no-install-recommends redis-server; }
	@$(BIN)/pytest -n 2 --cluster tests/machines

test-spark: $(STAMP) ## archives on Spark beside this machine's processes: PySpark (480 MB) and Debian's Java are installed
	@command -v java >/dev/null || { $(ROOT) apt-get update -qq && $(ROOT) apt-get install --yes --no-install-recommends default-jre-headless; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --editable '.[spark]'
	@$(BIN)/pytest -n 0 tests/test_archive.py tests/test_archive_engines.py

soak: $(STAMP) ## eight days of hourly crawls among faults, every tenth killed: half an hour
	@$(BIN)/python -m tests.soak

fuzz: $(STAMP) ## 20,000 broken inputs: SEED=1, PAGES=folder for pages of your own
	@$(BIN)/python -m tests.fuzzing --seed $(or $(SEED),1) $(if $(PAGES),--pages $(PAGES))

golden: $(STAMP) ## rewrite the expected texts of tests/pages; read the diff before committing it
	@$(BIN)/pytest -n 0 tests/test_golden.py --agree

bench: $(STAMP) ## what an article costs beside news-please and others (installed below data/bench), starting, growth: a quarter of an hour; SETS=…
	@$(BIN)/python -m tests.benchmarks.throughput $(SETS)
	@$(BIN)/python -m tests.benchmarks.startup $(SETS) --corpus 100000
	@$(BIN)/python -m tests.benchmarks.growth 1000 10000 100000

bench-cleaning: $(STAMP) ## cleaning beside other extractors, on our own pages or on SETS="a.jsonl.gz b.jsonl.gz"
	@$(BIN)/python -m tests.benchmarks.cleaning $(SETS) --peers

serve: $(STAMP) ## the reading room over your corpus
	@$(BIN)/copydesk serve

crawl: $(STAMP) ## crawl the sources that are due
	@$(BIN)/copydesk crawl

format: $(STAMP) ## let ruff format the code
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format --quiet .

lock: ## write .ci/requirements.lock anew from the newest versions pyproject.toml allows
	@rm -rf .lock-env && $(PYTHON) -m venv .lock-env
	@.lock-env/bin/python -m pip install --quiet --disable-pip-version-check '.[dev]' 'hatchling>=1.27,<2' 'editables>=0.5'
	@.lock-env/bin/python -m pip freeze --exclude copydesk > .ci/requirements.lock && rm -rf .lock-env

clean: ## remove the environment and what tools left behind
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
