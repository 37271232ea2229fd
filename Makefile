# The project's commands. `make demo` and `make test` do all the set-up they need.
export PATH := $(PATH):/usr/sbin
# Tests run the program some two thousand times: it must not be compiled each time.
unexport PYTHONDONTWRITEBYTECODE
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# What is given to a target is text: the programs read it from the environment, and neither make nor a shell obeys it.
GIVEN := VERSION ENVIRONMENT CONFIRM PREVIOUS REPORT
$(foreach name,$(GIVEN),$(if $(filter-out undefined,$(origin $(name))),$(eval override export $(name) := $$(value $(name)))))

.PHONY: help setup system-packages copy-tools demo demo-dr acceptance-aks test bench soak bench-gateways lint format lock wheel \
	licences audit release pictures docs docs-reference clean

help: ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

setup: $(VENV)/.installed ## Make .venv with .venv/bin/sohistio, from the locked requirements

$(VENV)/.installed: requirements/dev.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# Debian's packages start what they install; the tests start their own, and none is left running beside them.
system-packages: ## Install what tests need and Python does not have: BIND, skopeo, a container registry, Prometheus, curl, Chromium
	@missing=; PATH="$$PATH:/usr/sbin"; \
	command -v named >/dev/null || missing="$$missing bind9"; \
	command -v skopeo >/dev/null || missing="$$missing skopeo"; \
	command -v docker-registry >/dev/null || missing="$$missing docker-registry"; \
	command -v prometheus >/dev/null || missing="$$missing prometheus"; \
	command -v curl >/dev/null || missing="$$missing curl"; \
	command -v chromium >/dev/null || missing="$$missing chromium"; \
	command -v chromedriver >/dev/null || missing="$$missing chromium-driver"; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $$missing || exit 1; \
		for service in $$missing; do \
			case $$service in curl|skopeo|chromium*) continue;; bind9) service=named;; esac; \
			if [ -d /run/systemd/system ]; then systemctl disable --quiet --now $$service; \
			elif [ -x /etc/init.d/$$service ]; then /etc/init.d/$$service stop >/dev/null; fi || true; \
		done; \
	else \
		echo "The tests need:$$missing. Install them (Debian, Ubuntu: sudo apt-get install$$missing; Fedora: sudo dnf" \
			"install bind skopeo golang-github-prometheus chromium chromedriver, and docker-registry of docker-distribution), then run make again." >&2; \
		exit 1; \
	fi

# sohistio drives any of three tools; Debian has skopeo alone. A newer crane asks no token server on loopback, as tests have it.
TOOLS := $(VENV)/tools
copy-tools: setup $(TOOLS)/crane $(TOOLS)/oras ## Build the other tools that copy images, for tests

$(TOOLS)/crane:
	GOBIN=$(CURDIR)/$(TOOLS) go install github.com/google/go-containerregistry/cmd/crane@v0.20.6

$(TOOLS)/oras:
	GOBIN=$(CURDIR)/$(TOOLS) go install oras.land/oras/cmd/oras@v1.3.6

demo: setup ## The main job on the sandbox: install, nothing to do, upgrade, verify
	@$(BIN)/python demo/demo.py

demo-dr: setup system-packages ## Disaster recovery: failover to a standby, with real traffic
	@$(BIN)/python demo/dr.py

acceptance-aks: setup ## The main stories on a throw-away AKS cluster: ENVIRONMENT=… CONFIRM=…, see docs/acceptance.md
	@$(BIN)/python demo/acceptance.py

test: setup system-packages copy-tools $(VENV)/.docs ## All checks and all tests; builds the sandbox's parts first
	+$(MAKE) --no-print-directory --output-sync=target -j2 lint docs
	$(BIN)/python -c "from sohistio.sandbox.build import build_missing; build_missing(traffic=True)"
	$(BIN)/python tests/builders/built.py
	$(BIN)/python -m compileall -q src tests demo handbook release
	SOHISTIO_CONFIG=/dev/null $(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder

bench: setup system-packages copy-tools $(VENV)/bench/.installed ## The long benchmarks, as ratios, into docs/performance.md; an hour
	@command -v kubectl >/dev/null || { echo "The benchmarks compare with kubectl, which is not on this machine: install it" \
		"(Debian: kubernetes-client), then run make again." >&2; exit 1; }
	$(BIN)/python -c "from sohistio.sandbox.build import build_missing; build_missing(traffic=True)"
	$(BIN)/python tests/builders/built.py jaeger
	$(VENV)/bench/bin/python -m pip install --quiet --no-deps --no-build-isolation --force-reinstall .
	$(BIN)/python -m pytest -m bench -rP -p bench_fixtures benchmarks tests

# What is measured is sohistio with what its users have: some libraries use what tests need, where it is there.
$(VENV)/bench/.installed: requirements/pipeline.txt
	$(PYTHON) -m venv $(VENV)/bench
	$(VENV)/bench/bin/python -m pip install --quiet --require-hashes -r requirements/pipeline.txt
	@touch $@

soak: setup ## 200 runs in a row, killed at random, with an API server in trouble: forty minutes; make test has four
	$(BIN)/python -c "from sohistio.sandbox.build import build_missing; build_missing(traffic=True)"
	$(BIN)/python -m pytest -m soak -rP tests/e2e/test_soak.py

bench-gateways: setup system-packages ## Requests lost in 24 upgrades and re-applies in a row, beside istioctl's: 15 minutes
	$(BIN)/python -c "from sohistio.sandbox.build import build_missing; build_missing(traffic=True)"
	$(BIN)/python tests/builders/built.py vegeta
	$(BIN)/python -m pytest -m bench -rP tests/e2e/test_gateway_bench.py

lint: setup ## Format, ruff, strict types, import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: setup ## Lock the newest allowed dependencies, with hashes
	$(BIN)/pip-compile --upgrade --quiet --extra dev --generate-hashes --allow-unsafe --strip-extras \
		--no-emit-index-url --no-emit-find-links --no-emit-trusted-host -o requirements/dev.txt pyproject.toml
	$(BIN)/pip-compile --upgrade --quiet --build-deps-for wheel --generate-hashes --allow-unsafe --strip-extras \
		--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --constraint requirements/dev.txt \
		-o requirements/pipeline.txt pyproject.toml
	$(BIN)/pip-compile --upgrade --quiet --generate-hashes --allow-unsafe --strip-extras \
		--no-emit-index-url --no-emit-find-links --no-emit-trusted-host -o requirements/docs.txt requirements/docs.in
	$(BIN)/pip-compile --upgrade --quiet --generate-hashes --allow-unsafe --strip-extras \
		--no-emit-index-url --no-emit-find-links --no-emit-trusted-host -o requirements/release.txt requirements/release.in

wheel: setup ## Build dist/*.whl
	$(BIN)/python -m build --wheel --no-isolation

licences: setup ## Make docs/licences.md again; fails for a licence that is not permitted
	@$(BIN)/python release/licences.py

audit: setup $(VENV)/.release ## bandit, licences, known vulnerabilities of the locked packages (needs the network)
	@$(BIN)/python release/audit.py

release: setup $(VENV)/.release ## What is published of VERSION=…, into dist/release: see docs/releases.md
	@$(BIN)/python release/make_release.py "$$VERSION"
	@$(BIN)/python release/sbom_schema.py dist/release/*.cdx.json

$(VENV)/.release: requirements/release.txt $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/release.txt
	@touch $@

pictures: setup ## Draw docs/pictures/*.svg again, from the real program on a sandbox of its own
	@$(BIN)/python demo/pictures.py
	@$(BIN)/python demo/traffic_paths.py
	@$(BIN)/python demo/monitoring_pages.py
	@$(BIN)/python demo/fleet_page.py

docs-reference: setup ## Make docs/reference and the picture of the layers again, from the code
	@$(BIN)/python handbook/reference.py

docs: setup $(VENV)/.docs ## Build the site into dist/handbook/site, and check every link
	@$(BIN)/python handbook/make_site.py

$(VENV)/.docs: requirements/docs.txt $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/docs.txt
	@touch $@

clean: ## Remove what the other targets made; sandboxes and their built parts stay
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
