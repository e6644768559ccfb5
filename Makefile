# The two commands of the README are `make demo` and `make test`; both set up what they need.
PYTHON ?= python3
BIN := .venv/bin
STAMPS := .stamps
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

reference: $(STAMPS)/dev
	$(BIN)/python docs/generate.py

bench: $(STAMPS)/dev
	$(BIN)/python -m benchmarks.prices.run
	$(BIN)/python -m benchmarks.plan.run

# The report is tested in a real browser: Debian's chromium, or any that is already there.
browser:
ifeq ($(CHROMIUM),)
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "installing chromium for the browser test"; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; \
	else echo "the browser test needs chromium: install it (Debian: sudo apt-get install chromium)"; exit 1; fi
endif

$(BIN)/python:
	$(PYTHON) -m venv .venv

$(STAMPS)/run: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e .
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/dev: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@mkdir -p $(STAMPS) && touch $@ $(STAMPS)/run

clean:
	rm -rf .venv $(STAMPS) .mypy_cache .pytest_cache .ruff_cache dist site acreage-demo
