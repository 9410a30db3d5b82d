# What one does here all day. `make check` is what CI runs.
BIN := .venv/bin

.PHONY: help check lint test test-slow fmt demo pictures tree newest oldest constraints hooks

help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 14

$(BIN)/python:
	python3 -m venv .venv
	$(BIN)/pip install -e '.[test]'

check:  ## everything that must hold before a change lands, as CI runs it
	bash .ci/run

lint: $(BIN)/python  ## ruff, pyright and the contracts on imports
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && PATH="$(CURDIR)/$(BIN):$$PATH" pyright && $(BIN)/lint-imports

test: $(BIN)/python  ## the fast tests
	$(BIN)/pytest

test-slow: $(BIN)/python  ## the slow tests only
	$(BIN)/pytest --runslow -m slow

fmt: $(BIN)/python  ## format, and mend what ruff can
	$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

demo: $(BIN)/python  ## the whole path on the model that ships
	$(BIN)/prune-tui demo

pictures: $(BIN)/python  ## the pictures in docs, drawn anew
	$(BIN)/python docs/pictures.py

tree: $(BIN)/python  ## the list of files in docs/architecture.md, from their own first sentences
	$(BIN)/python docs/tree.py

newest:  ## the fast tests with the newest versions that pyproject.toml allows (KEEP=torch==2.13.0)
	python3 benchmarks/versions.py newest $(if $(KEEP),--keep $(KEEP))

oldest:  ## the fast tests with the oldest versions that pyproject.toml allows (KEEP=torch==2.13.0)
	python3 benchmarks/versions.py oldest $(if $(KEEP),--keep $(KEEP))

constraints: $(BIN)/python  ## constraints.txt from what is installed
	$(BIN)/python benchmarks/versions.py freeze > constraints.txt

hooks:  ## ruff before each commit
	pre-commit install
