# On a fresh machine: `make demo` or `make test`. The environment is .venv; PYTHON chooses the interpreter it is made with.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install -c constraints.txt
INSTALLED := $(VENV)/.installed
BROWSERS := chromium chromium-browser google-chrome google-chrome-stable

.DEFAULT_GOAL := help
.PHONY: help demo test lint browser docs docs-tables benchmark claims

help:
	@echo "make demo         install, map the handwritten digits and write out/digits.html"
	@echo "make test         install, then lint, types, import contracts and tests"
	@echo "make lint         lint, types and import contracts only"
	@echo "make benchmark    measure beside the peers and write docs/benchmarks.md"
	@echo "make claims       run every experiment of claims/ and write docs/claims.md and docs/methods.md"
	@echo "make docs         build the documentation into out/site, where every warning is an error"
	@echo "make docs-tables  write the pages of docs/ that are made from committed results"

demo: $(INSTALLED)
	@mkdir -p out
	@$(BIN)/holonomy map digits --out out/digits.html

# Each of the two workers computes in one thread: threads that wait for each other on busy cores take many times as long.
# A file stays with one worker, which makes its fixtures and compiles its kernels once; slow files come first.
test: lint docs browser
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --cov=holonomy --jaxtyping-packages=holonomy._core.training,beartype.beartype

lint: $(INSTALLED)-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

browser:
	@for name in $(BROWSERS); do if command -v $$name > /dev/null; then exit 0; fi; done; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null; then \
		apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; \
	else \
		echo "The tests of the report drive a real browser, and none of $(BROWSERS) is on the PATH: install one." >&2; \
		exit 1; \
	fi

docs: $(INSTALLED)-docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

docs-tables: $(INSTALLED)
	$(BIN)/python -m claims table --write
	$(BIN)/python -m benchmarks table --write

benchmark: $(INSTALLED)-bench
	$(BIN)/python -m benchmarks run all
	$(BIN)/python -m benchmarks table --write

claims: $(INSTALLED)-bench
	$(BIN)/python -m claims run all
	$(BIN)/python -m claims table --write

$(INSTALLED): pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) -e .
	@touch $@

$(INSTALLED)-%: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) -e ".[$*]"
	@touch $@ $(INSTALLED)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "holonomy needs Python 3.11 or newer, and $(PYTHON) is not. Choose another: make PYTHON=python3.12 ..." >&2; \
		exit 1; \
	}
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }
