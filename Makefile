# Two commands for a newcomer: `make demo` and `make test`. They need Python 3.11+ and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input -q

BROWSERS := chromium chromium-browser google-chrome
install = { test "$$(id -u)" = 0 && apt-get update -qq && apt-get install -qq -y $(1); } || \
	echo "There is no $(1) here, and it cannot be installed: tests will fail." >&2

.PHONY: demo system test check benchmarks lock docs clean

demo: $(VENV)/run-installed
	@test -f demo.db || $(BIN)/cycle --database sqlite:///demo.db demo
	$(BIN)/cycle --database sqlite:///demo.db serve --demo

# Tests drive the system's Chromium, and its nginx: where one can be neither found nor installed, they say so and fail.
system:
	@for each in $(BROWSERS); do command -v $$each >/dev/null && exit 0; done; $(call install,chromium)
	@command -v nginx >/dev/null || test -x /usr/sbin/nginx || $(call install,nginx-light)

test: $(VENV)/dev-installed system
	$(BIN)/python -m pytest -n auto

check: $(VENV)/dev-installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

benchmarks: $(VENV)/dev-installed
	$(BIN)/python -m benchmarks

docs: $(VENV)/dev-installed
	$(BIN)/python docs/generate.py

lock: $(VENV)/dev-installed
	$(BIN)/uv pip compile -q -U --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --python-version 3.11 --extra build pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile -q -U --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --python-version 3.11 --extra build --extra dev pyproject.toml -o requirements-dev.txt

$(VENV)/python-made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "cycle needs Python 3.11 or newer; say which: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/run-installed: requirements.txt pyproject.toml | $(VENV)/python-made
	$(PIP) install --require-hashes -r requirements.txt
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/dev-installed: requirements-dev.txt pyproject.toml | $(VENV)/python-made
	$(PIP) install --require-hashes -r requirements-dev.txt
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/run-installed

clean:
	rm -rf $(VENV) tests/js/node_modules demo.db demo.db-*
