# Everything runs in .venv, which .ci/bootstrap.py makes and keeps up to date; the second run starts in seconds.
# Another Python than the first python3 on the PATH: make lab PYTHON=python3.13

PYTHON = python3
SHELL = /bin/sh

.PHONY: bench bench-log help lab test check notebooks conformance clean

help:  ## print this list
	@echo "make lab         install what is needed and open JupyterLab on notebooks/"
	@echo "make test        install what is needed and run every check and test"
	@echo "make check       the style and type checks alone (ruff, mypy)"
	@echo "make notebooks   run the notebooks again and write them, as they are committed"
	@echo "make conformance run other people's clients against the simulator, our sessions with their servers (3 GB)"
	@echo "make bench       measure the simulator, the event log, table and voice in a browser (eleven minutes)"
	@echo "make kernels     live voice beside busy cells on five ipykernels, each in .venv-kernels/ (1 GB)"
	@echo "make faults      what becomes of a conversation when something goes wrong: a table (four minutes)"
	@echo "make soak        ten minutes of live voice in a browser: memory, drift, gaps (SECONDS=600)"
	@echo "make day         a day of use on the virtual clock: a new session every hour, nothing lost (a minute)"
	@echo "make clean       remove .venv and everything the tools left behind"

lab:
	@$(PYTHON) .ci/bootstrap.py lab
	@.venv/bin/rtwidgets lab

PYTEST = .venv/bin/python -m pytest
# Beside others, on a machine that has much else to do, a test may wait in vain: it is run once more, alone, and says so.
ALONE = echo "What failed is run once more, alone ..."; $(PYTEST) --last-failed --last-failed-no-failures none

test:
	@$(PYTHON) .ci/bootstrap.py test
	@$(MAKE) --no-print-directory style
	@echo "Running the tests ..."
	@$(PYTEST) --numprocesses auto --maxprocesses 4 --dist loadfile --ignore tests/browser || { $(ALONE) --ignore tests/browser; }
	@echo "Running the browser's tests, one after another: they listen to sound as it plays ..."
	@$(PYTEST) tests/browser || { $(ALONE) tests/browser; }

check:
	@$(PYTHON) .ci/bootstrap.py check
	@$(MAKE) --no-print-directory style

.PHONY: style
style:
	@echo "Checking style and types (ruff, mypy) ..."
	@.venv/bin/ruff check .
	@.venv/bin/mypy

notebooks:
	@$(PYTHON) .ci/bootstrap.py check
	@.venv/bin/python .ci/notebooks.py

conformance:
	@$(PYTHON) .ci/bootstrap.py check
	@.venv/bin/python .ci/conformance.py

bench:
	@$(PYTHON) .ci/bootstrap.py check
	@.venv/bin/python benchmarks/simulator_sessions.py
	@.venv/bin/python benchmarks/event_log.py
	@.venv/bin/python benchmarks/live_table.py
	@.venv/bin/python benchmarks/live_voice.py

bench-log:
	@$(PYTHON) .ci/bootstrap.py check
	@.venv/bin/python benchmarks/event_log.py

.PHONY: faults
faults:
	@$(PYTHON) .ci/bootstrap.py check
	@.venv/bin/python .ci/faults.py

.PHONY: kernels soak day
KERNELS =
SECONDS ?= 600

kernels:
	@$(PYTHON) .ci/bootstrap.py test
	@.venv/bin/python .ci/kernels.py $(KERNELS)

soak:
	@$(PYTHON) .ci/bootstrap.py test
	@.venv/bin/python benchmarks/soak.py --seconds $(SECONDS)

day:
	@$(PYTHON) .ci/bootstrap.py check
	@.venv/bin/python benchmarks/day.py

clean:
	rm -rf .venv .venv-conformance .venv-kernels build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis test-results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
