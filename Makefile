# One command for the main job, one for the tests. Both build .venv once, from pyproject.toml + constraints.txt.
PYTHON ?= python3
BIN := .venv/bin
RUN ?= runs/cash_incentive
# One thread each: two spinning OpenMP threads on a busy machine run many times slower than one.
export OMP_NUM_THREADS ?= 1
export OMP_WAIT_POLICY ?= PASSIVE

CASES := $(patsubst scenarios/%.yaml,%,$(wildcard scenarios/*.yaml))

.PHONY: help demo app scenario gallery test check clean

help:
	@echo "make demo               the main job: scenarios/cash_incentive.yaml, from data to recommendations"
	@echo "make app                the dashboard, on the last demo run"
	@echo "make scenario NAME=...  run any file of scenarios/"
	@echo "make gallery            runs them all, and shows them in scenarios/README.md"
	@echo "make test               everything that CI runs: format, types, rooms, tests, browser"

demo: .venv/.ok
	@$(BIN)/drivetrain run scenarios/cash_incentive.yaml --out $(RUN)

app: .venv/.ok
	@$(BIN)/drivetrain dashboard $(wildcard $(RUN))

scenario: .venv/.ok
	@$(BIN)/drivetrain run scenarios/$(NAME).yaml

gallery: .venv/.ok
	@for name in $(CASES); do $(BIN)/drivetrain run scenarios/$$name.yaml --out runs/$$name || exit; done
	@$(BIN)/drivetrain gallery $(CASES:%=runs/%) --out scenarios/README.md

test: check .venv/.browser
	$(BIN)/pytest -n 2 --dist loadfile

check: .venv/.ok
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.venv/.ok: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Drivetrain needs Python 3.11 or newer; found $$($(PYTHON) --version). Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -c constraints.txt obp robynpy  # data files only
	@touch $@

# Tests drive a real browser: the machine's Chromium where there is one, else Debian's, else Playwright's own.
.venv/.browser: .venv/.ok
	@command -v chromium chromium-browser google-chrome >/dev/null || \
	  { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && apt-get install -y -qq chromium >/dev/null; } || \
	  $(BIN)/playwright install chromium
	@touch $@

clean:
	rm -rf .venv runs build dist
