# Needs Python 3.11 or newer with venv, git and make. Everything else is installed into .venvs, from hash-locked requirements.
# Outside the checkout are only the caches of pip and uv.

PYTHON ?= python3
MESSAGES ?= 100
EVENT ?= events/single-call.json
DRY_RUN ?= yes
GATEWAY_BASE_URL ?=
ARCHITECTURE ?= arm64
CONTAINER_BRIDGE ?=
CALLS ?=
SEED ?=
MUTANT ?=
ROUNDS ?=
DEVIATIONS ?=
SCENARIO ?=
SCHEDULE ?=

DEV := .venvs/dev/bin
SAM := .venvs/sam/bin/sam
CHECKOV := .venvs/checkov/bin/checkov
export UV := .venvs/uv/bin/uv
export SAM_CLI_TELEMETRY := 0
# Beside the sources, compiled modules would be uploaded with the function.
export PYTHONPYCACHEPREFIX := $(CURDIR)/.local/pycache
# The local AWS is asked with keys of its own, and never through a proxy. The user's files for the real AWS are not read.
unexport AWS_PROFILE AWS_DEFAULT_PROFILE
export AWS_CONFIG_FILE := /dev/null
export AWS_SHARED_CREDENTIALS_FILE := /dev/null
export NO_PROXY := 127.0.0.1,localhost,$(NO_PROXY)
export no_proxy := $(NO_PROXY)

# By its path: sam builds in another folder, where what pyenv calls python3.13 may be none.
LAMBDAS_PYTHON = $(shell python3.13 -c 'import sys; print(sys.executable)' 2>/dev/null || echo python3.13)

ENVIRONMENTS := .venvs/dev/.installed .venvs/ministack/.installed .venvs/sam/.installed
LOCKS := layers/dependencies/requirements.txt $(wildcard local/requirements/*.txt)
FUNCTIONS := functions/relay:functions/operations
PROJECT_PYTHON := PYTHONPATH=$(FUNCTIONS):. $(DEV)/python

# A misspelt variable would be ignored without a word.
GIVEN := $(foreach word,$(MAKEOVERRIDES),$(if $(findstring =,$(word)),$(firstword $(subst =, ,$(word)))))
UNKNOWN := $(filter-out $(shell grep -o '[$$][(][A-Z_]*[)]' Makefile | tr -d '$$()'),$(GIVEN))
$(if $(UNKNOWN),$(error there is no variable $(UNKNOWN): `make` lists the commands and their variables))

.DEFAULT_GOAL := help
.PHONY: help run chaos up invoke replay pause resume status dashboard picture down test campaign explore bench check format schemas build lock
.DELETE_ON_ERROR:

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' Makefile

run: $(ENVIRONMENTS) ## Send messages through the local stack and account for every call [MESSAGES=100] [GATEWAY_BASE_URL=]
	@$(PROJECT_PYTHON) -m local run --messages "$(MESSAGES)" --gateway-base-url "$(GATEWAY_BASE_URL)"

chaos: $(ENVIRONMENTS) ## Send calls through the local stack while processes die, and account for each [CALLS=10000] [SEED=]
	@$(PROJECT_PYTHON) -m local chaos $(if $(CALLS),--calls "$(CALLS)") $(if $(SEED),--seed "$(SEED)")

up: $(ENVIRONMENTS) ## Bring the local stack up: local AWS, Kairos simulator, the real template [GATEWAY_BASE_URL=] [CONTAINER_BRIDGE=]
	@$(PROJECT_PYTHON) -m local stack up --gateway-base-url "$(GATEWAY_BASE_URL)" --container-bridge "$(CONTAINER_BRIDGE)"

invoke: $(ENVIRONMENTS) ## Invoke the deployed function once, without Docker: EVENT=events/single-call.json
	@$(PROJECT_PYTHON) -m local invoke "$(EVENT)"

replay: $(ENVIRONMENTS) ## Move entries of the failure queue back, or count them [REASON=] [CODE=] [FLOW=] [DRY_RUN=yes] and more: docs/local-stack.md
	@$(PROJECT_PYTHON) -m local operations replay --dry-run="$(DRY_RUN)" --reasons="$(REASON)" --codes="$(CODE)" \
		--flow-ids="$(FLOW)" --min-age-seconds="$(MIN_AGE_SECONDS)" --max-age-seconds="$(MAX_AGE_SECONDS)" \
		--messages-per-second="$(MESSAGES_PER_SECOND)" --max-messages="$(MAX_MESSAGES)"

pause: $(ENVIRONMENTS) ## Pause a flow of the local stack, or without FLOW= its account: REASON=MAINTENANCE [FLOW=]
	@$(PROJECT_PYTHON) -m local operations pause --flow="$(FLOW)" --reason="$(REASON)"

resume: $(ENVIRONMENTS) ## End a pause of a flow of the local stack, or without FLOW= of its account [FLOW=]
	@$(PROJECT_PYTHON) -m local operations resume --flow="$(FLOW)"

status: $(ENVIRONMENTS) ## Show what is paused on the local stack, and the messages in each queue
	@$(PROJECT_PYTHON) -m local operations status

dashboard: $(ENVIRONMENTS) .venvs/dashboard/.installed ## Draw the template's dashboard from what the local stack emits, while it is up
	@$(PROJECT_PYTHON) -m local dashboard

picture: $(ENVIRONMENTS) .venvs/dashboard/.installed ## Take the README's picture of the dashboard, after make up and make run
	@$(PROJECT_PYTHON) -m local dashboard --picture docs/dashboard.png

down: $(ENVIRONMENTS) ## Stop everything that `make up` started
	@$(PROJECT_PYTHON) -m local stack down

test: $(ENVIRONMENTS) .venvs/dashboard/.installed ## Run the tests
	$(DEV)/pytest

campaign: .venvs/dev/.installed ## Send calls through injected faults, in virtual time [CALLS=1000000] [SEED=] [MUTANT=all]
	@$(PROJECT_PYTHON) -m tests.campaign $(if $(CALLS),--calls "$(CALLS)") $(if $(SEED),--seed "$(SEED)") $(if $(MUTANT),--mutant "$(MUTANT)")

explore: .venvs/dev/.installed ## Run every schedule of a few faults [DEVIATIONS=2] [SCENARIO=] [SCHEDULE=] [MUTANT=all]
	@$(PROJECT_PYTHON) -m tests.explore $(if $(DEVIATIONS),--deviations "$(DEVIATIONS)") $(if $(SCENARIO),--scenario "$(SCENARIO)") \
		$(if $(SCHEDULE),--schedule "$(SCHEDULE)") $(if $(MUTANT),--mutant "$(MUTANT)")

bench: $(ENVIRONMENTS) ## Measure the relay beside its peers, and write tests/bench/figures.md [ROUNDS=4]
	@$(PROJECT_PYTHON) -m tests.bench $(if $(ROUNDS),--rounds "$(ROUNDS)")

check: $(ENVIRONMENTS) .local/locks.checked .local/template.checked ## Check format, lint, import rules, types, template and locks
	$(DEV)/ruff format --check .
	$(DEV)/ruff check .
	PYTHONPATH=$(FUNCTIONS) $(DEV)/lint-imports
	$(DEV)/mypy

format: .venvs/dev/.installed ## Format the code and mend what can be mended
	$(DEV)/ruff format .
	$(DEV)/ruff check --fix .

schemas: .venvs/dev/.installed ## Write docs/schemas from the code
	@$(PROJECT_PYTHON) -m local.schemas

build: .venvs/sam/.installed ## Build for AWS into .aws-sam; then: .venvs/sam/bin/sam deploy --config-env dev [ARCHITECTURE=arm64]
	@find functions -name __pycache__ -prune -exec rm -rf {} +
	LAYER_PYTHON="$(CURDIR)/.venvs/uv/bin/python" LAYER_COMPILER="$(LAMBDAS_PYTHON)" LAYER_ARCHITECTURE="$(ARCHITECTURE)" \
		$(SAM) build --parameter-overrides "Architecture=$(ARCHITECTURE)" $(if $(BUILD_DIR),--build-dir "$(BUILD_DIR)")

lock: .venvs/uv/.installed ## Compile the lock files from pyproject.toml [UPGRADE=1]
	$(PYTHON) -m local.locks write $(if $(UPGRADE),--upgrade)

# Neither answer changes without a change in these files, and both take seconds.
.local/locks.checked: pyproject.toml $(LOCKS) local/locks.py .venvs/uv/.installed
	$(PYTHON) -m local.locks check
	@mkdir -p $(@D) && touch $@

.local/template.checked: template.yaml samconfig.toml .venvs/sam/.installed .venvs/checkov/.installed
	$(SAM) validate
	$(CHECKOV) --file template.yaml --framework cloudformation --skip-download --quiet --compact
	@mkdir -p $(@D) && touch $@

.venvs/uv/.installed: local/requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=...")'
	@$(PYTHON) -m local.install uv

.venvs/%/.installed: local/requirements/%.txt .venvs/uv/.installed
	@$(PYTHON) -m local.install $*
