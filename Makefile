# Two commands: `make demo` and `make test`. Works with GNU make 3.81 and later, asks for no rights.

SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
export PYTHONDONTWRITEBYTECODE := 1

.PHONY: help demo test sure lint bench soak clean

help:
	@echo "make demo        start the product with made-up people and customers"
	@echo "make test [t=X]  run the checks and tests (with t=X: only the tests of that folder or file)"
	@echo "make sure        format, then everything that make test does"
	@echo "make bench       measure; make soak: the tests at full size"
	@echo "make clean       remove what these commands made"

$(READY): pyproject.toml constraints.txt
	@sh .ci/venv.sh $(VENV)
	@touch $(READY)

demo: $(READY)
	@exec $(BIN)/kept serve --demo $(if $(home),--home "$(home)") $(if $(port),--port $(port))

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

ifdef t
test: $(READY)
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not soak" tests/$(patsubst tests/%,%,$(t))
else
test: lint
	@sh .ci/test.sh $(BIN)/python
endif

sure: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	@$(MAKE) test

bench: $(READY)
	$(BIN)/python -m bench

soak: $(READY)
	$(BIN)/python -m pytest -m soak

clean:
	rm -rf $(VENV) build .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis kept.egg-info
