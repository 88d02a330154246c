# make report   the seed incident, made and reported on      make test    the tests
# make setup    only .venv with everything in it             make check   all that CI checks

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
OUT := build/seed-report
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_CONSTRAINT := $(CURDIR)/requirements.lock

.PHONY: report test check setup lock golden clean
.DEFAULT_GOAL := report

setup: .venv/ready

.venv/ready: pyproject.toml requirements.lock .ci/system-packages hatch_build.py
	.ci/system-packages run
	$(PYTHON) -m venv --clear .venv
	$(BIN)/pip install --quiet --editable '.[dev]'
	$(BIN)/pip install --quiet --editable '.[live]' || echo 'setup: no systemd-python (it needs libsystemd-dev and a compiler); everything historical works without it'
	$(BIN)/python hatch_build.py --fetch
	touch $@

build/seed/made: $(wildcard fixtures/seed/*.py) | setup
	rm -rf build/seed
	$(BIN)/python -m fixtures.seed --out build/seed
	touch $@

SEED := --store build/store --since 2025-11-18 --until 2025-12-18 --tz UTC \
  $$(test -d build/seed/journal && echo --journal-dir build/seed/journal || echo --file build/seed/seed.export)

report: setup build/seed/made
	$(BIN)/tabby-forensics report $(SEED)
	$(BIN)/tabby-forensics report $(SEED) --output $(OUT).html --output $(OUT).json
	@echo 'The HTML report is $(CURDIR)/$(OUT).html'

test: setup
	.ci/system-packages test
	$(BIN)/python hatch_build.py --fetch
	$(BIN)/pytest -n 2 --dist loadgroup

check: setup
	.ci/system-packages test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/tabby-forensics patterns check
	$(MAKE) test

golden: setup
	$(BIN)/python -m fixtures.golden.make

lock: setup
	$(BIN)/pip freeze --exclude-editable > requirements.lock

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
