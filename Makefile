# Commands for people who work on Lineside. `make help` lists them.
# Nothing but Python 3.11 and make is needed: packaging/setup.py does the rest, once.

PYTHON ?= python3
VENV_PYTHON := .venv/bin/python
RUN := $(VENV_PYTHON) -m
LINESIDE := $(VENV_PYTHON) -c "from ui.cli import main; main()"

.DEFAULT_GOAL := help
.PHONY: help setup demo run test search lint format bench package clean

help:
	@echo 'make demo      opens Lineside with a simulated plant; without a display it leaves pictures of a tour'
	@echo 'make run       opens Lineside with your own data'
	@echo 'make test      checks everything: style, types, floors, tests against real servers'
	@echo 'make search    looks for unknown faults: property tests with many new examples, then the long proof of sharing'
	@echo 'make lint      style, types and floors only'
	@echo 'make format    puts the code into the common format'
	@echo 'make bench     measures speed and prints figures with ratios'
	@echo 'make package   builds the executable into dist/lineside and tries it'
	@echo 'make clean     removes what was built (keeps .venv)'

setup:
	@$(PYTHON) packaging/setup.py

demo: setup
	@if [ -n "$$DISPLAY$$WAYLAND_DISPLAY" ]; then \
	    $(LINESIDE) demo; \
	else \
	    echo "There is no display: a tour of every screen goes to the folder demo-pictures instead."; \
	    QT_QPA_PLATFORM=offscreen $(LINESIDE) demo --seconds 20 --screenshots demo-pictures; \
	fi

run: setup
	@$(LINESIDE)

lint: setup
	$(RUN) ruff check
	$(RUN) ruff format --check --quiet
	$(RUN) mypy
	cd packaging && ../$(RUN) mypy --config-file ../pyproject.toml --cache-dir ../.mypy_cache/packaging setup.py build.py
	$(VENV_PYTHON) -c "from importlinter.cli import lint_imports_command as check; check()" --no-logo

test: lint
	$(RUN) pytest -q -n 2

search: setup
	LINESIDE_SEARCH=$${LINESIDE_SEARCH:-20} $(RUN) pytest -q -n 2 -m hypothesis --timeout 7200
	$(RUN) tests.sync.proof $${LINESIDE_PROOF_EXAMPLES:-200}

format: setup
	$(RUN) ruff check --fix-only --quiet
	$(RUN) ruff format

bench: setup
	$(RUN) tests.bench

package: setup
	$(VENV_PYTHON) packaging/build.py

clean:
	rm -rf build dist demo-pictures .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find app ui migrations tests packaging -name __pycache__ -type d -prune -exec rm -rf {} +
