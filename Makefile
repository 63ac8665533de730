# Everything runs in .venv, made from the lock files. `make demo` and `make test` do all the set-up that they need.
PYTHON ?= python3
BIN := .venv/bin
DEMO_ARGS ?=
# Threads that spin while they wait starve each other where processes outnumber cores.
export OMP_WAIT_POLICY := PASSIVE
# Where this is set, each of our processes compiles torch and transformers anew: some ten seconds of processor time.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test acceptance chaos check generate format lock bench docs clean
help:            ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 14

demo: .venv/run  ## install, then turn the whole loop once: Kafka, bot, review, QLoRA, gate, swap
	@$(BIN)/teachback demo $(DEMO_ARGS)

test: .venv/dev  ## install what tests need, then run them (a slice of every guarantee; under 15 minutes)
	@$(BIN)/python -m pytest -m "not acceptance" tests

acceptance: .venv/dev  ## the whole of every guarantee; an hour or more
	@$(BIN)/python -m pytest -m acceptance -s tests

chaos: .venv/dev ## 200,000 exchanges, 20 kill -9, 5 zombies, a broker restart, and the control that must be caught
	@$(BIN)/python -m tests.chaos.streams

check: .venv/dev ## lint, types, import contracts, generated files fresh
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m teachback.schemas.generate --check && $(BIN)/python -m teachback.infra.demo.report --check

generate: .venv/dev ## write JSON Schemas, AsyncAPI and the topics page from the structs
	@$(BIN)/python -m teachback.schemas.generate && $(BIN)/python -m teachback.infra.demo.report

format: .venv/dev
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

bench: .venv/dev .venv-bench/run ## ratios against named references (docs/benchmarks.md)
	@$(BIN)/python -m bench.loop

docs: .venv/dev  ## check that the documentation's commands, links and generated pages are true
	@$(BIN)/python -m pytest tests/docs

lock: .venv/bin/uv ## resolve the dependencies again
	@$(BIN)/uv pip compile pyproject.toml --extra all $(LOCK_ARGS) -o requirements.lock
	@$(BIN)/uv pip compile pyproject.toml --extra all --group dev -c requirements.lock $(LOCK_ARGS) -o requirements-dev.lock
LOCK_ARGS := --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet --upgrade

clean:           ## remove the environment and everything that running left here
	@if [ -x $(BIN)/teachback ]; then $(BIN)/teachback down || true; fi
	@rm -rf .venv .venv-bench .teachback .mypy_cache .ruff_cache .hypothesis .import_linter_cache dist

.venv/bin/uv: infra/uv.lock
	@echo "Making .venv …"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "teachback needs Python 3.11 or newer; name one: make PYTHON=python3.12 …")'
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r infra/uv.lock
	@touch $@

.venv/run: .venv/bin/uv requirements.lock pyproject.toml
	@echo "Installing teachback and what it needs into .venv (some 6 GB, most of it torch) …"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock -r infra/build.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

.venv-bench/run: .venv/bin/uv bench/requirements-quix.lock
	@$(BIN)/uv venv --quiet --allow-existing --python $(BIN)/python .venv-bench
	@$(BIN)/uv pip install --quiet --python .venv-bench/bin/python --require-hashes -r bench/requirements-quix.lock
	@touch $@

.venv/dev: .venv/run requirements-dev.lock
	@echo "Installing what tests and checks need into .venv …"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements-dev.lock
	@touch $@
