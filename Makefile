# Two commands matter: `make demo` (a complete exchange) and `make test` (every check).
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
.DEFAULT_GOAL := help
.PHONY: help install install-dev demo test bench interop clean

help: ## what can be made here
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/'

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "emla needs Python 3.11 or newer ($(PYTHON) is older)"; exit 2; }
	@$(PYTHON) -m venv $(VENV) || { echo "Python's venv module is missing: apt install python3-venv"; exit 2; }

$(VENV)/.installed: $(BIN)/python requirements.lock pyproject.toml
	@echo "Installing what the lock file names ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

install: $(VENV)/.installed ## create .venv from the lock file
install-dev: $(VENV)/.installed-dev

demo: install ## a complete exchange between three countries, no broker and no database server
	@$(BIN)/emla demo --output demo-output

test: install-dev ## every check: lint, types, imports, tests, with RabbitMQ, PostgreSQL and Java peers
	@bash deploy/test.sh

interop: install-dev ## only the tests with Java peers (phase4, EU DSS) and xmlsec1
	@bash deploy/test.sh -m interop

bench: install-dev ## messages a second beside the ceiling of the signatures alone
	@bash deploy/bench.sh

clean:
	rm -rf $(VENV) .run demo-output
