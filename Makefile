# Everything that people and machines run. Needs cargo (rustup) and a Python from 3.10 on with venv;
# the rest is installed into .venv, and into .venvs for the other Pythons.

PYTHON ?= python3
CASES ?=
ROWS ?=
N ?= 20000
FIRST ?= 0
JOBS ?= 1
MESSAGES ?= 10000000
CONNECTIONS ?= 1000000
SUITES ?=
TARGET ?= frames_server
SECONDS ?= 60
SANITIZER ?= address
CRASH ?=
NAME ?=
PATCHES ?=

PY := .venv/bin/python
# maturin builds into this one: not into an environment that happens to be active.
export VIRTUAL_ENV := $(CURDIR)/.venv
PIP := $(PY) -m pip install --quiet --disable-pip-version-check --require-hashes
BODIES := --locked --manifest-path rust/fuzz/bodies/Cargo.toml --target-dir target/fuzz/stable
SOURCES := Cargo.toml Cargo.lock pyproject.toml $(shell find rust/core rust/bindings -name '*.rs' -o -name Cargo.toml)

export CARGO_TERM_COLOR ?= auto
export PATH := $(PATH):$(HOME)/.cargo/bin

help: ## what there is to make
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

demo: .venv/.built ## three conversations over TCP, with an independent library too
	$(PY) examples/demo.py

test: .venv/.built ## everything: lint, types, all tests on all Pythons, compliance, demo
	$(PY) tools/everything.py --cases $(or $(CASES),1-7,10,13.3.1,13.5.1,13.7.1)

test-rust: ## the tests of the Rust crates
	cargo test --locked --workspace

test-corpus: ## what fuzzing has reached, once more; no nightly toolchain is needed
	cargo test $(BODIES)

test-python: .venv/.built ## the Python tests, on .venv and on each other Python that is found
	$(PY) tools/pythons.py test

test-panics: .venv/.tools ## a panic at every place where one may come, in a module built for that
	$(PY) tools/panics.py

lint: .venv/.linted ## formatting and lints of both languages
	cargo fmt --all --check
	cargo fmt --manifest-path rust/benches/Cargo.toml --check -- --config-path .
	cargo fmt --manifest-path rust/fuzz/Cargo.toml --all --check -- --config-path .
	cargo clippy --locked --workspace --all-targets -- -D warnings
	cargo clippy $(BODIES) --all-targets -- -D warnings
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

types: .venv/.linted .venv/.built ## mypy, pyright, and the stubs against the built module
	$(PY) -m mypy --strict python/ws13 tests/typing tools compat
	$(PY) -m pyright --pythonpath $(PY)
	$(PY) -m mypy.stubtest ws13

compliance: .venv/.built ## the Autobahn test suite, both directions: half an hour (CASES=1-7,10 for some)
	$(PY) compliance/run.py $(if $(CASES),--cases $(CASES))

record: .venv/.built ## the whole Autobahn test suite, recorded anew for the tests (half an hour or more)
	$(PY) compliance/record.py --summary compliance/summary.md

compat: .venv/.linted .venv/.built ## tests and types of wsproto and its users, on ws13 (SUITES=wsproto,uvicorn)
	$(PY) compat/run.py $(if $(SUITES),--suites $(SUITES))

compat-all: .venv/.linted .venv/.built ## the same on each Python that is found
	$(PY) compat/run.py --all

sessions: .venv/.built ## random sessions against a model and zlib (N=1000000 JOBS=2 FIRST=0)
	$(PY) tests/run_sessions.py --count $(N) --first $(FIRST) --jobs $(JOBS)

soak: .venv/.built ## very many messages and connections, and what memory they leave (MESSAGES= CONNECTIONS=)
	$(PY) tests/soak.py --messages $(MESSAGES) --connections $(CONNECTIONS)

bench: .venv/.built ## compare with other libraries, write docs/performance.md (ROWS=1,5: some rows, no page)
	$(PY) -m pip install --quiet --disable-pip-version-check -r benchmarks/requirements.txt
	$(PY) benchmarks/bench.py $(if $(ROWS),--rows $(ROWS),--json .venv/bench.json)
	$(if $(ROWS),,$(PY) benchmarks/report.py .venv/bench.json)

bench-rust: ## the crate beside tungstenite, fastwebsockets and tokio-websockets
	CARGO_TARGET_DIR=target/benches cargo bench --locked --manifest-path rust/benches/Cargo.toml

fuzz: ## one target (TARGET=inflate SECONDS=60 SANITIZER=none); needs a nightly toolchain and cargo-fuzz
	$(PYTHON) tools/fuzz.py run $(TARGET) --seconds $(SECONDS) --sanitizer $(SANITIZER)

fuzz-all: ## all targets, one after the other, so many SECONDS each
	$(PYTHON) tools/fuzz.py run all --seconds $(SECONDS) --sanitizer $(SANITIZER)

vector: ## a line for tests/vectors of an input of a target (CRASH=path NAME='a sentence')
	@cargo run --quiet $(BODIES) --example vector -- \
		$(notdir $(patsubst %/,%,$(dir $(CRASH)))) $(CRASH) "$(NAME)"

seeded: ## bugs put in on purpose: what finds them, and how long that takes (PATCHES=name,name)
	$(PYTHON) tools/seeded.py $(if $(PATCHES),--patches $(PATCHES))

instructions: .venv/.built ## instructions of the hot paths and of hostile input (needs valgrind)
	$(PY) benchmarks/instructions.py
	$(PY) benchmarks/instructions.py --hostile

wheel: .venv/.tools ## a wheel for this Python and the source distribution, in dist
	$(PY) -m maturin build --release --locked --sdist --interpreter $(PY) --out dist

smoke: .venv/.tools ## a wheel into an empty environment of each Python, and a test there
	$(PY) tools/pythons.py smoke

requirements: ## pin the versions in pyproject.toml anew (needs uv)
	for group in build lint test compat; do uv pip compile --quiet --upgrade --universal \
		--python-version 3.10 --generate-hashes --group $$group \
		--custom-compile-command 'make requirements' --output-file requirements/$$group.txt; done

clean: ## remove what was built, environments included
	rm -rf .venv .venvs dist target .mypy_cache .pytest_cache .ruff_cache .hypothesis
	rm -rf compliance/.wstest compliance/reports compat/.cache compat/.envs
	find python -name '*.so' -o -name '*.pyd' | xargs rm -f
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.tools: requirements/build.txt requirements/test.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
		|| { echo "needs a Python from 3.10 on: make PYTHON=python3.13"; exit 1; }
	@test -x $(PY) || $(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }
	@echo "installing the tools of requirements/ into .venv"
	$(PIP) -r requirements/build.txt -r requirements/test.txt
	@touch $@

.venv/.linted: .venv/.tools requirements/lint.txt
	$(PIP) -r requirements/lint.txt
	@touch $@

.venv/.built: .venv/.tools $(SOURCES)
	$(PY) -m maturin develop --release --locked
	@touch $@

.PHONY: help demo test test-rust test-corpus test-python test-panics lint types compliance record compat compat-all sessions soak bench bench-rust fuzz fuzz-all vector seeded instructions wheel smoke requirements clean
.DEFAULT_GOAL := help
