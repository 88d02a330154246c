# make report   the seed incident, made and reported on      make test    the tests
# make setup    only .venv with everything in it             make check   all that CI checks
# make wheel    build/wheel/*.whl, to install with pipx or uv (docs/install.md); make check-install does that: two minutes
# make deb      build/tabby-forensics.deb for this Debian and its Python; make check-deb tries it
# make oci      build/tabby-forensics.oci.tar, a container image, as root with debootstrap; make check-oci tries it
# make man      build/tabby-forensics.1, made of the help of all commands
# make check-trixie   the tests on Debian 13's systemd 257, as root: 300 MB in build/trixie, a minute and a half the first time
# make check-litellm   the files of `generate litellm` with a real LiteLLM proxy: 740 MB in build/litellm, five minutes
# make check-prometheus3   PromQL and generated rules against Prometheus 3 of Debian sid, unpacked into build/prometheus3; installs nothing

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
OUT := build/seed-report
export PYTHON
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_CONSTRAINT := $(CURDIR)/requirements.lock

.PHONY: report man wheel test check check-trixie check-prometheus3 check-litellm static format lint types layers catalogue setup lock golden clean
.DEFAULT_GOAL := report

setup: .venv/ready

.venv/program: pyproject.toml requirements.lock .ci/system-packages .ci/install
	@.ci/system-packages report
	@.ci/install program
	@touch $@

.venv/extras: .venv/program .ci/systemd-python hatch_build.py
	@echo 'setup: fetching the small figure library: pages become 3.6 MB smaller'
	@$(BIN)/python hatch_build.py --fetch
	@.ci/system-packages live
	@.ci/systemd-python $(BIN)/pip
	@touch $@

.venv/ready: .venv/extras
	@.ci/install tests
	@touch $@

man: .venv/program
	@mkdir -p build
	@$(BIN)/python -m forensics.cli.man > build/tabby-forensics.1
	@echo 'man: $(CURDIR)/build/tabby-forensics.1, to read with man -l'

wheel: .venv/extras
	@rm -rf build/wheel
	@$(BIN)/pip wheel --quiet --no-deps --wheel-dir build/wheel .
	@ls build/wheel/*.whl

deb: wheel
	@packaging/deb build/wheel/*.whl build/tabby-forensics.deb

oci: deb
	@packaging/oci build/tabby-forensics.deb build/tabby-forensics.oci.tar

check-install: setup wheel
	TABBY_TEST_WHEEL=$$(ls build/wheel/*.whl) $(BIN)/pytest tests/packaging/test_tools.py

check-deb: setup deb
	TABBY_TEST_DEB=build/tabby-forensics.deb $(BIN)/pytest tests/packaging/test_deb.py

check-oci: setup oci
	TABBY_TEST_OCI=build/tabby-forensics.oci.tar $(BIN)/pytest tests/packaging/test_oci_image.py

build/seed/made: $(wildcard fixtures/seed/*.py) | .venv/program
	@echo 'report: writing the seed incident, a month of journal'
	@rm -rf build/seed
	@$(BIN)/python -m fixtures.seed --out build/seed
	@touch $@

SEED := --store build/store --since 2025-11-18 --until 2025-12-18 --tz UTC \
  $$(test -d build/seed/journal && echo --journal-dir build/seed/journal || echo --file build/seed/seed.export)

report: .venv/program build/seed/made
	@echo 'report: $(BIN)/tabby-forensics report --since 2025-11-18 --until 2025-12-18'
	@$(BIN)/tabby-forensics report $(SEED)
	@$(MAKE) --no-print-directory .venv/extras
	@echo 'report: the same as a page and as JSON'
	@$(BIN)/tabby-forensics report $(SEED) --output $(OUT).html --output $(OUT).json
	@echo 'The HTML report is $(CURDIR)/$(OUT).html'

test: setup
	@.ci/system-packages test
	@$(BIN)/python hatch_build.py --fetch
	@$(BIN)/python -m compileall -q forensics fixtures  # once, not by each of the hundreds of processes of the tests
	$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder

check: setup
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target static
	@$(MAKE) --no-print-directory test

build/trixie/etc/debian_version:
	@command -v debootstrap >/dev/null || apt-get install -qq -y --no-install-recommends debootstrap >/dev/null
	@mkdir -p build
	debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,procps trixie build/trixie >build/trixie.log

check-trixie: setup build/trixie/etc/debian_version
	TABBY_TEST_SYSTEM=build/trixie $(BIN)/pytest tests/lab/test_direct.py tests/lab/test_gate.py tests/lab/test_limits.py tests/lab/test_preflight.py tests/lab/test_remedy.py tests/lab/test_report.py tests/lab/test_watch.py

build/prometheus3/usr/bin/prometheus:
	.ci/prometheus3 build/prometheus3

check-prometheus3: setup build/prometheus3/usr/bin/prometheus
	TABBY_TEST_PROMETHEUS3=$(CURDIR)/build/prometheus3/usr/bin/prometheus $(BIN)/pytest tests/promql tests/generate

build/litellm/ready: .ci/litellm
	.ci/litellm build/litellm

check-litellm: setup build/litellm/ready
	TABBY_TEST_LITELLM=$(CURDIR)/build/litellm/bin/litellm $(BIN)/pytest tests/litellm

static: format lint types layers catalogue

format:
	$(BIN)/ruff format --check .

lint:
	$(BIN)/ruff check .

types:
	$(BIN)/mypy

layers:
	$(BIN)/lint-imports

catalogue:
	$(BIN)/tabby-forensics patterns check

golden: setup
	$(BIN)/python -m fixtures.golden.make
	$(BIN)/tabby-forensics generate nix >packaging/nixos-module.nix

lock: setup
	$(BIN)/pip freeze --exclude-editable > requirements.lock
	$(BIN)/python packaging/wheels.py

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
