# The commands of this project. Each makes the virtual environment first, if it is not there:
# what runs the hub needs no more than the hub does, the rest brings the tools of test and check.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PLUGINS := plugins/glpi plugins/leadsquared_stub plugins/webhook
ARGS ?=
# Tests wait for processes and sockets, too: more of them at a time than there are cores.
WORKERS ?= $(shell echo $$((2 * $$(nproc))))

.PHONY: demo run test bench e2e chaos check format translations clean

demo: $(VENV)/runtime ## The whole way with a GLPI simulator and recorded events
	rm -rf build/demo
	HUB_DATA_DIR=build/demo $(BIN)/hub demo $(ARGS)

run: $(VENV)/runtime ## The hub for real work, data in ./data
	$(BIN)/hub up $(ARGS)

# Hundreds of processes are started, and each would compile the hub where bytecode is not kept.
test: $(VENV)/installed ## The whole test suite; ARGS=--cov counts what it covers
	PYTHONDONTWRITEBYTECODE= $(BIN)/pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

e2e: $(VENV)/installed ## The dashboard in a real browser; screenshots in build/screenshots
	HUB_TEST_REQUIRE_CHROMIUM=1 $(BIN)/pytest tests/e2e/test_browser.py $(ARGS)

chaos: $(VENV)/installed ## 10,000 events while everything goes wrong
	$(BIN)/python -m tests.chaos $(ARGS)

bench: $(VENV)/installed ## Ratios side by side, into build/bench.json
	$(BIN)/python -m benchmarks $(ARGS)

check: $(VENV)/installed ## Lint, format, types, and whether the dependencies fit each other
	$(BIN)/pip check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy hub migrations benchmarks wsgi.py
	$(BIN)/mypy -p hub_glpi -p hub_leadsquared -p hub_webhook

format: $(VENV)/installed ## Put the code into form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

translations: $(VENV)/runtime ## Bring the dashboard's catalogues up to date with its texts
	mkdir -p build
	$(BIN)/pybabel --quiet extract --mapping babel.cfg --no-location --sort-output \
		--project crm-hub --output build/dashboard.pot .
	for language in `$(BIN)/python -c 'from hub.sdk.translation import LANGUAGES; print(*LANGUAGES)'`; do \
		$(BIN)/pybabel --quiet update --input-file build/dashboard.pot --locale $$language \
			--output-file hub/dashboard/locale/$$language.po --no-fuzzy-matching \
			--ignore-obsolete --no-wrap --init-missing || exit 1; \
	done

clean: ## Remove what these commands made, but not ./data
	rm -rf $(VENV) build

$(VENV)/runtime: setup.cfg constraints.txt $(PLUGINS:%=%/setup.cfg)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt pip setuptools
	@# setuptools warns at length of every editable package.
	PYTHONWARNINGS=ignore $(BIN)/pip install --quiet --constraint constraints.txt --editable . $(PLUGINS:%=--editable %)
	touch $@

$(VENV)/installed: $(VENV)/runtime
	PYTHONWARNINGS=ignore $(BIN)/pip install --quiet --constraint constraints.txt --editable '.[test,check]'
	touch $@
