# Everything happens in a virtual environment, made of the newest Python found; PYTHON=... chooses another.
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check

# A dependency group of pyproject.toml as lines; pip itself knows groups only since 25.1.
group = $(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"]["$(1)"], sep="\n")'

.PHONY: help demo test lint docs docs-serve freeze bench clean

help:
	@echo 'make demo    show the main job, offline, in under a minute'
	@echo 'make test    run the tests; ARGS="-k word" passes options on to pytest'
	@echo 'make lint    check style and types'
	@echo 'make docs    build the documentation site into .cache/site; make docs-serve shows it while you write'
	@echo 'make freeze  note what was released of the blueprints (from 1.0 on), which must not change any more'
	@echo 'make bench   measure against raw httpx'
	@echo 'make clean   remove the virtual environment and the caches'

demo: $(VENV)/package
	@$(BIN)/nango-py demo

test: $(VENV)/test
	@$(BIN)/python -m pytest $(ARGS)

lint: $(VENV)/lint
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy

docs: $(VENV)/docs
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict
	@echo 'built: .cache/site/index.html'

docs-serve: $(VENV)/docs
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs serve --watch blueprints

freeze: $(VENV)/test
	@$(BIN)/python -m tests.catalogue.freeze

bench: $(VENV)/package
	@$(BIN)/python -m benchmarks $(ARGS)

clean:
	rm -rf $(VENV) .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis dist build *.egg-info

# Each of these files is a stamp: made once, and again when pyproject.toml has changed.
$(VENV)/package: pyproject.toml | $(BIN)/python
	@echo 'installing nango_py into $(VENV)'
	@$(PIP) --editable '.[all]'
	@touch $@

$(VENV)/test $(VENV)/lint $(VENV)/docs: $(VENV)/%: $(VENV)/package
	@echo 'installing what make $* needs into $(VENV)'
	@$(call group,$*) > $@.part
	@$(PIP) --requirement $@.part
	@mv $@.part $@

$(BIN)/python:
	@for python in $(PYTHON) python3.14 python3.13 python3.12 python3.11 python3; do \
	  if $$python -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    echo "making $(VENV) with $$python"; exec $$python -m venv --clear $(VENV); \
	  fi; \
	done; \
	echo 'nango_py needs Python 3.11 or newer with its venv module (Debian and Ubuntu: python3-venv), and found none.' >&2; \
	echo 'Where it is not on the PATH, say: make $(MAKECMDGOALS) PYTHON=/path/to/python3' >&2; \
	exit 1
