# Two commands: `make demo` shows what Sartor does, `make test` runs all checks and tests.
# Both install what they need into .venv/, build/ and web/node_modules/, and nothing elsewhere.
# `make test` adds packages to the environment of `make demo`; neither removes any.

PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet

.PHONY: demo test test-python test-apps test-web test-torch android check camera nightly bench clean

demo: .venv/ready
	$(BIN)/sartor demo --out build/demo

# Two processes: one uses Python, the other the browser, then the JVM. The output comes in two blocks.
test: check
	@$(MAKE) --no-print-directory -j2 -O test-python test-apps

test-apps: .venv/test-ready
	@$(MAKE) --no-print-directory test-web
	@$(MAKE) --no-print-directory android

check: .venv/test-ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	@# One folder at a time, because several have their own conftest.
	@for part in "tests/*.py" contract $(wildcard tests/*/) $(wildcard benchmarks tools); do \
	    echo "mypy $$part"; MYPYPATH=src:contract:tools:tests $(BIN)/mypy $$part || exit 1; \
	done
	$(BIN)/lint-imports

test-python: .venv/test-ready
	$(BIN)/pytest

# The tests in the browser. If CI is set, a missing program fails them; otherwise they are left out.
test-web: .venv/test-ready
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh web/test.sh

# The library and the app for Android, without Gradle: API gate, tests on the JVM, APKs.
# If CI is set, a missing program is an error; otherwise all this is left out.
android: .venv/test-ready
	@PATH="$(CURDIR)/$(BIN):$$PATH" android/tools/all.sh

# Build the camera app into the package, and serve it.
camera: .venv/ready
	cd web && npm ci --no-audit --no-fund && npm run build
	$(BIN)/sartor camera

# PyTorch as a base, in its own environment: 7 GB, most of it CUDA. Not part of `make test`.
test-torch: build/torch/ready
	build/torch/bin/pytest tests/pytorch

build/torch/ready: pyproject.toml
	$(PYTHON) -m venv build/torch
	build/torch/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
	build/torch/bin/python -m pip install --quiet --editable '.[torch]' --group dev torchvision
	@touch $@

# Kills, 16,000 damaged files, threads and memory for several hours. `make test` runs a part of each.
nightly: .venv/test-ready
	SARTOR_NIGHTLY=1 $(BIN)/pytest tests/survival

# Comparison with other frameworks, as far as they can be installed: several GB.
bench: build/bench/ready
	build/bench/bin/python -m benchmarks

build/bench/ready: benchmarks/requirements.txt
	$(PYTHON) -m venv build/bench
	build/bench/bin/python -m pip install --quiet --editable . -r $<
	@touch $@

.venv/ready: pyproject.toml
	$(PYTHON) -m venv .venv
	$(INSTALL) --upgrade 'pip>=25.1'
	$(INSTALL) --editable '.[demo]'
	@touch $@

# Everything that the tests need from Python, about 3 GB, most of it TensorFlow.
.venv/test-ready: .venv/ready
	$(INSTALL) --editable '.[demo,interop,quantize,tensorflow]' --group dev
	@touch $@

clean:
	rm -rf .venv build web/node_modules src/sartor/camera/dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
