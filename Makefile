# Two commands: `make demo` runs the main job, `make test` passes the tests.
# Everything is installed into .venv/ and web/node_modules/, nothing elsewhere.

PYTHON ?= python3
EXTRAS ?= demo
BIN := .venv/bin

.PHONY: demo test test-python test-web test-torch check nightly bench clean

demo: .venv/ready
	$(BIN)/sartor demo --out build/demo

test: check test-python test-web

check: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	@# A folder at a time: several have a conftest of their own.
	@for part in "tests/*.py" contract $(wildcard tests/*/) $(wildcard benchmarks tools); do \
	    echo "mypy $$part"; MYPYPATH=src:contract $(BIN)/mypy $$part || exit 1; \
	done
	$(BIN)/lint-imports

test-python: .venv/ready
	$(BIN)/pytest

# The browser part: with CI set all of it must run; elsewhere it says what it left out.
test-web: .venv/ready
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh web/test.sh

# PyTorch as a base, in an environment of its own: 7 GB, most of it CUDA. Not part of `make test`.
test-torch: build/torch/ready
	build/torch/bin/pytest tests/pytorch

build/torch/ready: pyproject.toml
	$(PYTHON) -m venv build/torch
	build/torch/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
	build/torch/bin/python -m pip install --quiet --editable '.[torch]' --group dev torchvision
	@touch $@

# Kills, damaged files, threads and memory at length: an hour or two. `make test` has some of each.
nightly: .venv/ready
	SARTOR_NIGHTLY=1 $(BIN)/pytest tests/survival

# Beside other frameworks, each where it can be installed; several GB.
bench: build/bench/ready
	build/bench/bin/python -m benchmarks

build/bench/ready: benchmarks/requirements.txt
	$(PYTHON) -m venv build/bench
	build/bench/bin/python -m pip install --quiet --editable . -r $<
	@touch $@

.venv/ready: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable '.[$(EXTRAS)]' --group dev
	@touch $@

clean:
	rm -rf .venv build web/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis
