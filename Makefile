# Two commands: `make demo` and `make test`. Both need Python 3.11+ and make, nothing else.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.installed

.PHONY: setup demo test test-services check drills bench lock messages clean

$(STAMP): requirements.txt requirements-dev.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else f"Python 3.11 or newer is needed, this is {v.major}.{v.minor}: run make PYTHON=python3.12 …")'
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $(STAMP)

setup: $(STAMP)  ## virtual environment with pinned and hashed requirements

demo: setup  ## a believable clinic, web server, worker: prints the address and the logins
	@exec env -u DATABASE_URL -u REDIS_URL $(PY) -m demo.run

test: setup  ## the suite on the embedded default (SQLite, embedded broker)
	env -u DATABASE_URL -u REDIS_URL $(PY) -m pytest -n 2 --dist loadscope

test-services: setup  ## the suite on PostgreSQL and Redis (DATABASE_URL, REDIS_URL)
	@test -n "$$DATABASE_URL" -a -n "$$REDIS_URL" || { echo "set DATABASE_URL and REDIS_URL first"; exit 2; }
	$(PY) -m pytest -n 2 --dist loadscope

check: setup  ## format, lint, types, import contracts, migrations, deploy check, translations
	$(PY) -m tests.check

drills: setup  ## the long kill and race drills (PostgreSQL and Redis)
	DRILL_MESSAGES=$${DRILL_MESSAGES:-20000} $(PY) -m pytest tests/drills -m drill -s --timeout 3600
	DRILL_PATIENTS=$${DRILL_PATIENTS:-10000} $(PY) -m pytest tests/messaging/test_policy_properties.py -k "twenty or opts_out" -s --timeout 7200

bench: setup  ## ratios of performance.md on PostgreSQL (DATABASE_URL)
	$(PY) -m benchmarks

lock:  ## re-lock requirements (needs uv)
	for f in requirements requirements-dev; do uv pip compile --quiet --generate-hashes --universal --python-version 3.11 \
	  --no-emit-index-url --no-annotate --no-header $$f.in -o $$f.txt; done

messages: setup  ## compile translations
	$(PY) -m tests.translations compile

clean:
	rm -rf var staticfiles .pytest_cache .mypy_cache .ruff_cache
