# Commands for people who work on Lineside. `make help` lists them.
# Nothing but Python 3.11 and make is needed: packaging/setup.py does the rest, once.

PYTHON ?= python3
VENV_PYTHON := .venv/bin/python
RUN := $(VENV_PYTHON) -m

.DEFAULT_GOAL := help
.PHONY: help setup demo run test lint format bench package clean

help:
	@echo 'make demo      opens Lineside with a simulated plant; without a display it leaves pictures of a tour'
	@echo 'make run       opens Lineside with your own data'
	@echo 'make test      checks everything: style, types, floors, tests against real servers'
	@echo 'make lint      style, types and floors only'
	@echo 'make format    puts the code into the common format'
	@echo 'make bench     measures speed and prints figures with ratios'
	@echo 'make package   builds the executable into dist/lineside and tries it'
	@echo 'make clean     removes what was built (keeps .venv)'

setup:
	@$(PYTHON) packaging/setup.py

demo: setup
	@$(VENV_PYTHON) packaging/demo.py

run: setup
	@$(RUN) ui

lint: setup
	$(RUN) ruff check
	$(RUN) ruff format --check --quiet
	$(RUN) mypy
	$(RUN) mypy --config-file packaging/mypy.ini packaging/setup.py packaging/demo.py packaging/build.py
	$(VENV_PYTHON) packaging/floors.py

test: lint
	$(RUN) pytest -q

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
