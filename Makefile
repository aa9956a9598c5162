# Every task a person or CI runs. `make` alone lists them.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
PY := .venv/bin/python
ENV ?= dev
export KUBERNETES ?= schema
export CLOUD ?= rehearsal

help:  ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F':.*## ' '{printf "  make %-18s %s\n", $$1, $$2}'
	@echo '  ENV=dev|staging|production  KUBERNETES=schema|real|live  CLOUD=rehearsal|aws'

# --- set-up: file stamps, so a second run costs nothing ---
.venv/bin/uv: requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make: Python 3.11 or newer is needed: install it, or name one with PYTHON=..." >&2; exit 2; }
	@echo "==> virtual environment"
	@$(PYTHON) -m venv .venv || { echo "make: the venv module is missing: apt-get install python3-venv" >&2; exit 2; }
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $@

.venv/.platform: requirements/platform.txt pyproject.toml .venv/bin/uv
	@echo "==> locked packages: platform (about 1 minute the first time)"
	@.venv/bin/uv pip install --python $(PY) --require-hashes -r requirements/platform.txt
	@.venv/bin/uv pip install --quiet --python $(PY) --no-deps --no-build-isolation -e .
	@touch $@

.venv/.service: requirements/service.txt .venv/.platform
	@echo "==> locked packages: service"
	@.venv/bin/uv pip install --python $(PY) --require-hashes -r requirements/service.txt
	@touch $@

.venv/.live: requirements/live.txt .venv/.service
	@echo "==> locked packages: the rehearsal that serves"
	@.venv/bin/uv pip install --python $(PY) --require-hashes -r requirements/live.txt
	@touch $@

.venv/.dev: requirements/dev.txt .venv/.live
	@echo "==> locked packages: tests and tools"
	@.venv/bin/uv pip sync --python $(PY) --require-hashes $(addprefix requirements/,platform.txt service.txt live.txt dev.txt uv.txt)
	@.venv/bin/uv pip install --quiet --python $(PY) --no-deps --no-build-isolation -e .
	@touch $@

.venv-checkov/.ready: requirements/checkov.txt .venv/bin/uv
	@echo "==> locked packages: checkov, in an environment of its own (about 20 seconds)"
	@.venv/bin/uv venv --quiet --allow-existing --python $(PY) .venv-checkov
	@.venv/bin/uv pip install --quiet --python .venv-checkov/bin/python --require-hashes -r requirements/checkov.txt
	@touch $@

setup: .venv/.platform  ## what `make up` needs
setup-dev: .venv/.dev  ## what `make test` needs

lock: .venv/bin/uv  ## renew requirements/*.txt from *.in
	@requirements/lock.sh --upgrade

# --- the environments ---
# FLAGS go to the engine unread, for example FLAGS=--diff. RETIRING=yes lets protection be taken off on purpose.
# BASE is a commit: `make preview BASE=main` compares with what that commit deploys.
# PROJECT=bootstrap means the account's own project: `make preview PROJECT=bootstrap`.
bootstrap up preview refresh destroy: .venv/.platform
	@[ "$(CLOUD)" = aws ] || $(PY) -m rehearsal setup
	@$(PY) -m delivery run $(if $(filter bootstrap,$@),up --project bootstrap,$@ $(if $(PROJECT),--project $(PROJECT))) --env $(ENV) $(if $(RETIRING),--retiring) $(if $(BASE),--base $(BASE)) $(if $(FLAGS),-- $(FLAGS))
bootstrap:  ## make the account of ENV ready (once, and after each change of bootstrap/); before the first `up` on AWS
up:  ## deploy ENV with the real engine, policy pack and report
preview:  ## what `up` would do
refresh:  ## read the world into the state
destroy:  ## remove everything (production refuses while it is protected)
shell: .venv/.platform  ## a shell where plain `pulumi` uses the rehearsal
	@$(PY) -m rehearsal setup --quiet
	@$(PY) -m rehearsal shell

live: .venv/.live  ## deploy ENV so that its pods really run, against stand-ins that enforce what AWS enforces
	@KUBERNETES=live $(PY) -m rehearsal setup --quiet
	@$(PY) -m delivery live --env $(ENV)

live-stop: .venv/.live  ## end everything that `make live` started
	@KUBERNETES=live $(PY) -m rehearsal live stop

cluster: .venv/.platform  ## a Kubernetes control plane by itself; prints its kubeconfig's path
	@KUBERNETES=real $(PY) -m rehearsal cluster start

# --- run ---
serve: .venv/.service  ## the service on http://127.0.0.1:8000 with its embedded defaults
	@exec $(PY) -m service serve
# --- made from the deployed graphs ---
golden: .venv/.dev  ## renew tests/golden: the graph of every environment, deployed by the real engine
	@$(PY) -m delivery golden $(if $(filter command line,$(origin ENV)),--env $(ENV))
	@$(PY) -m delivery permissions

docs: .venv/.dev  ## draw docs/architecture from the graphs
	@$(PY) -m delivery draw

dashboards: .venv/.dev  ## renew dashboards/generated: rules, alert manager, dashboards
	@$(PY) -m dashboards generate

comments: .venv/.platform  ## write or renew a pull request's comments (in a GitHub workflow)
	@$(PY) -m delivery comments

# --- quality ---
audit: .venv/.dev  ## known vulnerabilities of every locked package (asks the package index)
	@for lock in requirements/*.txt; do echo "==> $$lock"; .venv/bin/pip-audit --strict --disable-pip --require-hashes -r $$lock; done

fidelity: .venv/.dev  ## agreement of the emulated AWS provider with the recorded verdicts of the real one
	@$(PY) -m rehearsal setup --quiet
	@$(PY) -m rehearsal fidelity --misses

test: .venv/.dev  ## set-up, then every test that needs no cloud
	@$(PY) tests/run.py $(PARTS)

test-exhaustive: .venv/.dev  ## what takes too long for every run: thirty kills, every environment on a real API server
	@$(PY) tests/run.py --exhaustive $(PARTS)

lint: .venv/.dev  ## ruff, mypy, import-linter
	@$(PY) tests/run.py lint types imports

policies: .venv/.platform  ## the rules that the committed graph of ENV breaks
	@$(PY) policies/check.py --env $(ENV)

compliance: .venv/.platform  ## an auditor's report per environment: build/ENV/compliance.{html,sarif,json}
	@for env in dev staging production; do echo "==> $$env"; $(PY) policies/compliance.py --env $$env; done

# TARGET is on loopback or in loadtests/targets.yaml; without one a service is started, with database and cache of its own.
load: .venv/.dev  ## load a service and judge it: PROFILE=smoke|baseline|stress|limit|spike|login [TARGET=URL] [FLAGS=...]
	@[ -n "$${TARGET:-}" ] || tests/service/require.sh mariadbd=mariadb-server-core my_print_defaults=mariadb-client-core redis-server=redis-server
	@exec $(PY) -m loadtests run --profile "$${PROFILE:-smoke}" $${TARGET:+--target "$$TARGET"} $(FLAGS)

bench: .venv/.dev  ## the printed figures of benchmarks/ (BENCH=name for one of them)
	@for name in $(or $(BENCH),$(patsubst benchmarks/%.py,%,$(shell grep -l '__main__' benchmarks/*.py))); do \
	  echo "==> $$name"; $(PY) benchmarks/$$name.py; done

demo: .venv/.service  ## a narrated video from a Markdown outline, without any network
	@$(PY) -m service course render service/render/samples/primeiros-passos.md --output build/demo

clean:  ## remove build output (not the rehearsal's state)
	@rm -rf build .mypy_cache .ruff_cache .hypothesis .import_linter_cache

# Every target that has a description is a task, not a file.
.PHONY: $(shell sed -nE 's/^([a-z][a-z-]*):.*\#\#.*/\1/p' $(MAKEFILE_LIST))
