# The two commands of the README are `make demo` and `make test`; both set up what they need.
PYTHON ?= python3
BIN := .venv/bin
STAMPS := .stamps
PIP := $(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt
CHROMIUM := $(firstword $(wildcard /usr/bin/chromium /usr/bin/chromium-browser /usr/bin/google-chrome))

.PHONY: demo test lint docs reference bench browser clean

demo: $(STAMPS)/run
	$(BIN)/acreage demo

test: lint browser
	$(BIN)/pytest -n 2

lint: $(STAMPS)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: reference
	$(BIN)/mkdocs build --strict

# Rewrites docs/reference from the commands, schemas and docstrings; a house test holds it up to date.
reference: $(STAMPS)/dev
	$(BIN)/python docs/generate.py

bench: $(STAMPS)/dev
	for run in benchmarks/*/run.py; do $(BIN)/python $$run || exit 1; done

# The report is tested in a real browser: Debian's chromium, or any that is already there.
browser:
ifeq ($(CHROMIUM),)
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "installing chromium for the browser test"; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; \
	else echo "the browser test needs chromium: install it (Debian: sudo apt-get install chromium)"; exit 1; fi
endif

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed: make PYTHON=python3.11 ..."; exit 1; }
	$(PYTHON) -m venv .venv

$(STAMPS)/run: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) -e .
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/dev: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) -e '.[dev]'
	@mkdir -p $(STAMPS) && touch $@ $(STAMPS)/run

clean:
	rm -rf .venv $(STAMPS) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis dist site acreage-demo
