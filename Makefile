# The habits of the project. `make demo` is the tour of a few minutes; `make test` runs all this machine can.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: install demo test gpu quick check fuzz soak promises bench stats-check twin-check trust-check pictures format clean-venv

.venv/installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

install: .venv/installed

demo: install
	$(BIN)/studyspec run studies/material.toml
	$(BIN)/studyspec report studies/material.toml --output report.html

test: install
	$(BIN)/python -m pytest -m "not gpu" --durations=10 --cov --numprocesses 2 --dist loadfile

# Where there is a CUDA device
gpu: install
	$(BIN)/python -m pytest -m gpu

quick: install
	$(BIN)/python -m pytest

check: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/tombi lint --offline studies/*.toml

format: install
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Ten thousand damaged files of each kind
fuzz: install
	STUDYSPEC_FUZZ=10000 $(BIN)/python -m pytest tests/fuzz --timeout 0

# The tables of SECURITY.md and of the README
promises: install
	$(BIN)/python -m tests.promises

bench: install
	for script in tests/benchmarks/bench_*.py; do PYTHONPATH=. $(BIN)/python $$script || exit 1; done

# Ten thousand simulated schedules of runners and workers (`make test` has 300): half an hour
soak: install
	SCHEDULES=10000 $(BIN)/python -m pytest -m "slow or not slow" tests/simulation

# False alarms and coverage of every kind of contrast, by simulation: a few minutes
stats-check: install
	PYTHONPATH=. $(BIN)/python tests/benchmarks/stats_check.py

# The networks that Sytwu et al. released, as safetensors: make twin-check NETWORKS=DIR [SEED=N]
twin-check: install
	PYTHONPATH=. $(BIN)/python tests/benchmarks/twin_check.py $(NETWORKS) $(if $(SEED),--seed $(SEED))

# Networks, and a CSV of labelled images that nothing was learnt from: make trust-check NETWORKS=DIR IMAGES=FILE.csv
trust-check: install
	PYTHONPATH=. $(BIN)/python tests/benchmarks/trust_check.py $(NETWORKS) $(IMAGES)

pictures: install
	$(BIN)/python tests/benchmarks/twin_page.py

clean-venv:
	rm -rf .venv
