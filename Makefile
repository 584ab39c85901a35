PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: verify field gpu test soak mutants docs benchmark clean

verify: $(READY)  ## hold the NumPy and PyTorch implementations against every property
	$(BIN)/pytest -n 2

field: $(READY)  ## verify every library, each in an environment of its own, which takes two hours, and write docs/reference/conformance.md
	$(BIN)/nox

gpu: $(READY)  ## verify kernels on a GPU, in under 8 minutes, and write build/gpu/report.html with the name of the card
	$(BIN)/python -m benchmarks.gpu

test: $(READY)  ## the suite's own tests, types, lint and walls
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/pytest -n 2 tests

soak: $(READY)  ## look for a false alarm: 200,000 examples with varied seeds
	$(BIN)/python -m benchmarks.soak

mutants: $(READY)  ## change the NumPy implementations in one place at a time: which changes does no law see?
	$(BIN)/python -m benchmarks.mutants

docs: $(READY)  ## write docs/reference/laws.md and docs/reference/defects.md: every defect is held against the law that it names
	$(BIN)/python -m tests.documents.command_line
	$(BIN)/python -m tests.documents.signatures
	$(BIN)/python -m tests.documents.catalogue

benchmark: $(READY)  ## what an example costs, and how many problems are checked in a second
	$(BIN)/python -m benchmarks.speed
	$(BIN)/python -m benchmarks.sizes

clean:
	rm -rf .venv .nox .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache

$(READY): pyproject.toml requirements.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet torch==2.13.0
	$(BIN)/pip install --quiet --requirement requirements.txt
	$(BIN)/pip install --quiet --no-deps --editable .
	touch $@
