# Everything here has a plain twin in the README (pip install, python -m ..., streamlit run).
VENV ?= .venv
BIN := $(VENV)/bin
PYTHON ?= python3
WORKSPACE ?= workspace
CHROMIUM ?= /usr/bin/chromium

.PHONY: app install demo check test bench verify screenshots chromium clean

app: $(VENV)/.installed
	BRAINVIZ_AUTO_DEMO=1 BRAINVIZ_WORKSPACE=$(WORKSPACE) $(BIN)/streamlit run app.py

install: $(VENV)/.installed-dev

$(VENV)/.installed: requirements.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check torch==$$(sed -n 's/^torch==//p' requirements.txt)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

demo: $(VENV)/.installed
	$(BIN)/python -m pipelines run --demo --workspace $(WORKSPACE)

check: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest tests/house

test: check chromium
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --ignore tests/browser --numprocesses 2 --dist loadfile --durations=10
	$(BIN)/python -m pytest tests/browser --durations=10

chromium:
	@test -x $(CHROMIUM) || { \
	  if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; \
	  else echo "Chromium is missing; the browser tests need it (Debian: apt-get install chromium)."; fi; }

bench: $(VENV)/.installed-dev
	for name in decoder ridge warp; do $(BIN)/python -m benchmarks.$$name || exit 1; done

verify: $(VENV)/.installed
	$(BIN)/python -m pipelines.encoding.calibration
	$(BIN)/python -m pipelines.verify

screenshots: $(VENV)/.installed-dev chromium
	$(BIN)/python tests/screenshots.py

clean:
	rm -rf build dist *.egg-info .pytest_cache .ruff_cache .mypy_cache
