# Cbit from a checkout: `make demo` runs it, `make test` checks it. Each makes the environment it needs.

PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11,$(shell \
    $(name) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(name))))
JOBS ?= 2

BIN := .venv/bin
STAMP := .venv/.stamp

.PHONY: demo firmware test test-all lint bench bitstreams readme clean tools

# make demo FILE=secret.bin OUT=folder
demo: $(STAMP)
	$(BIN)/cbit demo $(if $(FILE),"$(FILE)") $(if $(OUT),--out "$(OUT)")

# The security processor's firmware, into the folder of builds.
firmware: $(STAMP)
	$(BIN)/python -m cbit_sim.firmware_build

test: lint
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m "not slow"

test-all: lint
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal

# All presets on an FPGA, which takes hours, and the README's table of them.
bench: $(STAMP)
	$(BIN)/cbit bench --seeds 5 --check --out benchmarks/results.json
	$(MAKE) readme

# Bitstreams of all boards that can be built, which takes hours. One that fails does not stop the others.
bitstreams: $(STAMP)
	@status=0; for board in $$($(BIN)/cbit boards --format names); do \
	    $(BIN)/cbit build $$board --seeds 3 || status=1; done; exit $$status

readme: $(STAMP)
	$(BIN)/python -m cbit_cli.benchmark.readme

lint: $(STAMP)
	$(BIN)/ruff check
	$(BIN)/mypy

clean:
	rm -rf .venv build demo bitstreams

$(STAMP): pyproject.toml | tools
	@echo "Making .venv, which takes a few minutes once."
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@

tools:
	@[ -n "$(PYTHON)" ] || \
	    { echo "cbit: needs Python 3.11 or later; on Debian 12 or later: apt install python3 python3-venv" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	    { echo "cbit: needs Python's venv module; on Debian: apt install python3-venv" >&2; exit 1; }
	@command -v g++ >/dev/null || \
	    { echo "cbit: needs g++, with which simulations are built; on Debian: apt install g++" >&2; exit 1; }
