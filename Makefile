# The commands of this project. Each makes the virtual environment first, if it is not there.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PLUGINS := plugins/glpi plugins/leadsquared_stub
ARGS ?=

.PHONY: demo run test check format clean

demo: $(VENV)/installed ## The whole way with a GLPI simulator and recorded events
	rm -rf build/demo
	HUB_DATA_DIR=build/demo $(BIN)/hub demo $(ARGS)

run: $(VENV)/installed ## The hub for real work, data in ./data
	$(BIN)/hub up $(ARGS)

test: $(VENV)/installed ## The whole test suite
	$(BIN)/pytest --cov --cov-report=term $(ARGS)

check: $(VENV)/installed ## Lint, format, types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy hub migrations wsgi.py
	$(BIN)/mypy -p hub_glpi -p hub_leadsquared

format: $(VENV)/installed ## Put the code into form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## Remove what these commands made, but not ./data
	rm -rf $(VENV) build

$(VENV)/installed: setup.cfg constraints.txt $(PLUGINS:%=%/setup.cfg)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt pip setuptools
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[test,check]' \
		$(PLUGINS:%=--editable %)
	touch $@
