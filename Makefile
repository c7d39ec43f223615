# Every target sets up what it needs under .local/ and target/; `make help` lists them.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# What a caller may set.
CONFIG ?= examples/quickstart
ARCH   ?= x86_64
STATE  ?= .local
PORT   ?=
PARAMS ?=
FN     ?=
FOLLOW ?=
KEEP   ?=
UPGRADE ?=
ARGS   ?=
ONLY   ?=
TIME   ?= 60

# Members of the workspace that are in no function.
NOT_SHIPPED := it bench floor fuzz fuzz-targets ordersync-cli
FUNCTIONS := $(patsubst functions/%/Cargo.toml,%,$(wildcard functions/*/Cargo.toml))
TARGET_DIR := $(or $(CARGO_TARGET_DIR),target)

PYTHON := .local/venv/bin/python
STACK := $(PYTHON) infra/local/stack.py
UP := $(STACK) --state $(STATE) up --binaries $(TARGET_DIR)/debug --config $(CONFIG) $(if $(PORT),--port $(PORT)) $(PARAMS)

# Short enough that a test sees retries, redrive and a timeout within seconds. Nothing runs by itself: a test that wants
# a scheduled function invokes it, and knows then what it has done.
TEST_STACK := $(STACK) --state .local/test
TEST_PARAMS := ProcessorTimeout=6 VisibilityTimeout=8 MaxReceiveCount=3 \
	ResetErrorsEnabled=false ReleaseEnabled=false CancelStaleEnabled=false CleanupEnabled=false \
	'WebhookSecrets=*webhook*' 'DestinationSecrets=it-erp-*' 'ShopApiSecrets=it-shop-*' 'ResponseSecrets=*callback*' \
	'ExportObjectArns=arn:aws:s3:::it-elsewhere/*' 'PackBucketArns=arn:aws:s3:::it-elsewhere,arn:aws:s3:::it-elsewhere/packs/*'

# What the tests had the command line say, to be looked through with the logs.
CLI_LOG := $(CURDIR)/.local/test/cli.log

DENY_VERSION := 0.20.2
FUZZ_VERSION := 0.13.2
NEXTEST_VERSION := 0.9.143
CYCLONEDX_VERSION := 0.5.9
UV_VERSION := 0.13.8
export PATH := $(CURDIR)/.local/cargo/bin:$(PATH)

# What measures runs what it measures, so that is built for this machine.
HOST_ARCH := $(if $(filter aarch64 arm64,$(shell uname -m)),arm64,x86_64)
HOST_TRIPLE := $(if $(filter arm64,$(HOST_ARCH)),aarch64,x86_64)-unknown-linux-gnu
HOST_BINARIES = $(TARGET_DIR)/$(HOST_TRIPLE)/release
BENCH := $(TARGET_DIR)/harness/bench

TRIPLE := $(if $(filter arm64,$(ARCH)),aarch64,x86_64)-unknown-linux-gnu
# Where things lie on this machine is nothing that a binary should tell, nor differ by.
CARGO_FOLDER = $(or $(CARGO_HOME),$(HOME)/.cargo)
# All functions are named even where one is built: cargo gives a dependency the features that they need together.
release_build = RUSTFLAGS="$${RUSTFLAGS:-} --remap-path-prefix=$(CARGO_FOLDER)=/cargo --remap-path-prefix=$(CURDIR)=/ordersync" \
	cargo build --release --locked --target $(TRIPLE) $(FUNCTIONS:%=--package %)
export SAM_CLI_TELEMETRY := 0

# need(program, how to get it)
need = @command -v $(1) >/dev/null || { echo "error: $(1) is missing. $(2)" >&2; exit 1; }
say = @printf '\033[1m%s\033[0m\n' "$(1)"

.PHONY: help
help: ## List the targets
	@echo "make TARGET [VARIABLE=value]"
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1\t\2/p' $(firstword $(MAKEFILE_LIST)) | while IFS=$$'\t' read -r name what; do printf '  %-13s %s\n' "$$name" "$$what"; done

##@ What people call

.PHONY: demo
demo: binaries venv ## Post signed orders of every platform to a local stack and show where they went; KEEP=1 leaves it running
	$(PYTHON) infra/demo/demo.py

.PHONY: test
test: test-units test-stack test-chaos ## Run all tests: units, end to end on a local stack of their own, some faults

.PHONY: chaos
chaos: binaries venv-chaos ## Make every kind of fault at every call of every function, thousands of orders; write docs/reliability.md
	$(PYTHON) tests/chaos/chaos.py --complete --report docs/reliability.md $(ARGS)

.PHONY: simulate
simulate: need-rust ## Simulate a day with a flash sale and an outage; ARGS=--help lists what can be changed
	@cargo build --quiet --workspace --bins
	@$(TARGET_DIR)/debug/bench simulate $(ARGS)

.PHONY: lint
lint: need-rust deny venv-lint venv-policy ## Check formatting, clippy, dependencies and the templates, against policies too
	$(call say,formatting)
	cargo fmt --all --check
	$(call say,clippy)
	cargo clippy --workspace --all-targets -- -D warnings
	$(call say,dependencies)
	cargo deny --exclude-dev $(NOT_SHIPPED:%=--exclude %) --config deny-functions.toml check bans
	@if cargo deny fetch db >/dev/null 2>&1; then \
	  cargo deny check; \
	else \
	  cargo deny check bans licenses sources; \
	  echo "advisories were NOT checked: their database cannot be fetched from this machine"; \
	fi
	$(call say,template)
	.local/venv/bin/cfn-lint template.yaml infra/*.yaml
	AWS_DEFAULT_REGION=us-east-1 .local/venv/bin/sam validate --lint --template template.yaml
	$(call say,policies)
	.local/venv-policy/bin/checkov --framework cloudformation --skip-download --compact --quiet --file template.yaml infra/*.yaml
	@for folder in infra/policy infra/local; do $(PYTHON) -m unittest discover --start-directory $$folder; done
	$(PYTHON) infra/policy/exposure.py template.yaml infra/*.yaml

.PHONY: build
build: need-rust need-python ## Build the release functions into target/lambda/<name>; ARCH=arm64, CONFIG=dir to bundle
	@case "$(ARCH)" in x86_64|arm64) ;; *) echo "error: ARCH is x86_64 or arm64, not $(ARCH)" >&2; exit 1;; esac
	@test -d "$$(rustc --print sysroot)/lib/rustlib/$(TRIPLE)" || { \
	  echo "error: Rust's target $(TRIPLE) is not installed. Get it with: rustup target add $(TRIPLE)" >&2; \
	  echo "and, on another architecture, its C compiler: apt-get install gcc-$(if $(filter arm64,$(ARCH)),aarch64,x86-64)-linux-gnu" >&2; exit 1; }
	@$(MAKE) check
	$(call say,building $(FUNCTIONS) for $(ARCH))
	@if [ "$$(rustc -vV | sed -n 's/^host: //p')" != $(TRIPLE) ]; then \
	  export CARGO_TARGET_$(shell echo $(TRIPLE) | tr a-z- A-Z_)_LINKER=$(subst unknown-,,$(TRIPLE))-gcc; \
	fi; \
	$(release_build) --bins
	@python3 infra/local/bundle.py --binaries $(TARGET_DIR)/$(TRIPLE)/release --config $(CONFIG) --out target/lambda $(FUNCTIONS)

.PHONY: sbom
sbom: need-rust cyclonedx ## List what each function is made of, as CycloneDX, into target/sbom/<name>.cdx.json
	@rm -rf target/sbom; mkdir -p target/sbom
	@SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct 2>/dev/null || date +%s) \
	cargo cyclonedx --quiet --format json --spec-version 1.5 --describe binaries --no-build-deps --target $(TRIPLE)
	@for name in $(FUNCTIONS); do \
	  sed 's,path+file://$(CURDIR)/,path+file:///ordersync/,g' functions/$$name/$${name}_bin.cdx.json >target/sbom/$$name.cdx.json; \
	  echo "target/sbom/$$name.cdx.json"; \
	done; \
	find . -name '*.cdx.json' -not -path './target/*' -delete

# From a copy in another folder, into a target folder of its own: the bytes have to be the same.
.PHONY: reproducible
reproducible: build ## Build intake a second time elsewhere, and see that both are the same; ONLY=processor for another
	$(call say,building $(or $(ONLY),intake) a second time)
	@copy=$$(mktemp -d); trap 'rm -rf "$$copy"' EXIT; \
	git ls-files -z | xargs -0 cp --parents --target-directory "$$copy"; \
	$(MAKE) --directory "$$copy" one ONLY=$(or $(ONLY),intake) ARCH=$(ARCH) CARGO_TARGET_DIR="$$copy/target"; \
	cmp target/lambda/$(or $(ONLY),intake)/bootstrap "$$copy/target/$(TRIPLE)/release/$(or $(ONLY),intake)"; \
	echo "$(or $(ONLY),intake) is the same: sha256 $$(sha256sum <target/lambda/$(or $(ONLY),intake)/bootstrap | cut -c1-64)"

# Where the tests' are built already, BINARIES=test-binaries spares building all a second time, with fewer features.
BINARIES ?= binaries
.PHONY: check
check: $(BINARIES) ## Check a configuration, CONFIG=dir
	@# How often the queue delivers is known when it is deployed.
	@$(TARGET_DIR)/debug/ordersync check $(CONFIG) --max-receive-count 1000

.PHONY: cli
cli: need-rust ## Build the command line into target/release/ordersync
	cargo build --release --locked --package ordersync-cli

.PHONY: install-cli
install-cli: need-rust ## Install the command line; ARGS='--root ~/.local' for another place than cargo's
	cargo install --locked --path infra/cli $(ARGS)

.PHONY: up
up: binaries venv ## Start the local stack, or deploy to it again; CONFIG=dir PORT=4566 PARAMS="Name=value …" STATE=.local
	@$(UP)

.PHONY: down
down: venv ## End the local stack that `up` started; STATE=.local
	@$(STACK) --state $(STATE) down

.PHONY: screenshots
screenshots: binaries venv-screenshots ## Take the pictures of docs/console.md anew, by Chromium; they go to docs/console/
	$(PYTHON) infra/screenshots/screenshots.py

.PHONY: logs
logs: venv ## Print what the functions logged; FN=intake for one of them, FOLLOW=1 to go on
	@$(STACK) --state $(STATE) logs $(FN) $(if $(FOLLOW),--follow)

.PHONY: sam-local
sam-local: release-functions venv-lint ## Run every event of events/ by `sam local`, in containers beside a local stack; ONLY=intake, KEEP=1
	@$(PYTHON) infra/sam/sam_local.py --binaries $(HOST_BINARIES) --only '$(ONLY)' $(if $(KEEP),--keep)

.PHONY: deploy
deploy: need-config build venv-lint ## Build and deploy to AWS, CONFIG=dir with it; the first time asks for name, region and parameters
	.local/venv/bin/sam deploy $(if $(shell grep '^stack_name' samconfig.toml),,--guided)

.PHONY: bench
bench: bench-built ## Measure the functions beside Node.js, Python and the least in Rust; write the documents, an hour
	cargo bench --locked --target $(HOST_TRIPLE) --package bench --bench orders -- formats/10k
	$(BENCH) run --binaries $(HOST_BINARIES) --target-dir $(TARGET_DIR)
	@if command -v valgrind >/dev/null; then $(MAKE) profile; else echo "valgrind is missing: where the time goes is left out"; fi
	$(BENCH) report
	$(BENCH) cost
	$(BENCH) simulate --docs

.PHONY: bench-quick
bench-quick: bench-built ## The same in minutes, for a developer; ONLY=intake for a part, no document is written
	$(BENCH) run --quick --binaries $(HOST_BINARIES) --target-dir $(TARGET_DIR) --only '$(ONLY)'

# The release binaries have no symbols, so these are built apart.
.PHONY: profile
profile: need-rust ## Count by callgrind where the instructions of an invocation go; the next report has the tables
	$(call need,valgrind,On Debian or Ubuntu: apt-get install valgrind)
	$(call say,building with symbols)
	cargo build --profile harness --locked --package bench
	cargo build --release --locked --config profile.release.strip=false --target-dir $(TARGET_DIR)/profile \
	  --package intake --package processor --package floor
	$(BENCH) profile --binaries $(TARGET_DIR)/profile/release --only '$(ONLY)'

.PHONY: gate
gate: release-functions ## Count system calls, calls to AWS, write units and sizes, and hold them against tests/bench/limits.toml
	$(call need,strace,On Debian or Ubuntu: apt-get install strace)
	@# With the tests: after `make test` everything is there, with the same features of the dependencies.
	cargo build --workspace --bins --tests
	$(call say,the gate)
	@$(TARGET_DIR)/debug/bench gate --binaries $(HOST_BINARIES)

# libFuzzer and the address sanitizer are in the stable toolchain; it lets them be used where it is told that it may.
# Optimised, or little is tried in a minute.
FUZZ := RUSTC_BOOTSTRAP=1 CARGO_PROFILE_DEV_OPT_LEVEL=2 CARGO_PROFILE_DEV_DEBUG=line-tables-only CARGO_PROFILE_DEV_STRIP=none \
	cargo fuzz run --fuzz-dir tests/fuzz/targets --target-dir $(TARGET_DIR)/fuzz --dev --features libfuzzer

# What is found lies in $(TARGET_DIR)/fuzz/found/<target>; tests/fuzz/README.md says what to do with it.
.PHONY: fuzz
fuzz: need-rust cargo-fuzz ## Make up hostile input for all that is read from outside; TIME=seconds for each target, ONLY=webhook for one
	$(call need,c++,It compiles libFuzzer. On Debian or Ubuntu: apt-get install build-essential)
	@cargo build --quiet --workspace --bins
	@rm -rf $(TARGET_DIR)/fuzz/seeds
	@for target in $$($(TARGET_DIR)/debug/fuzz-seeds $(TARGET_DIR)/fuzz/seeds); do \
	  if [ -n "$(ONLY)" ] && [ "$(ONLY)" != $$target ]; then continue; fi; \
	  printf '\033[1m%s\033[0m\n' "fuzzing $$target for $(TIME) s"; \
	  mkdir -p $(TARGET_DIR)/fuzz/corpus/$$target $(TARGET_DIR)/fuzz/found/$$target tests/fuzz/regressions/$$target; \
	  $(FUZZ) $$target $(TARGET_DIR)/fuzz/corpus/$$target $(TARGET_DIR)/fuzz/seeds/$$target tests/fuzz/regressions/$$target -- \
	    -artifact_prefix=$(TARGET_DIR)/fuzz/found/$$target/ -max_total_time=$(TIME) -timeout=10 -rss_limit_mb=2048 \
	    -malloc_limit_mb=1024 -max_len=16384 -dict=tests/fuzz/words.dict -print_final_stats=1 2>&1 \
	    | tee $(TARGET_DIR)/fuzz/$$target.log | grep -E '^(stat::|SUMMARY|Done)|ERROR|panicked|INITED' ; \
	done

##@ What those need

.PHONY: one
one: need-rust
	$(release_build) --bin $(ONLY)

.PHONY: release-functions
release-functions:
	@$(MAKE) build ARCH=$(HOST_ARCH)

# A peer that cannot be set up says so, and is left out of the run.
.PHONY: bench-built
bench-built: release-functions
	$(call need,strace,On Debian or Ubuntu: apt-get install strace)
	$(call say,building what measures, and the least in Rust)
	cargo build --profile harness --locked --package bench
	cargo build --release --locked --package floor
	@for peer in node python; do \
	  bash tests/bench/peers/setup.sh $$peer || echo "$$peer is left out, because it could not be set up"; \
	done

# Both test targets select the whole workspace: with fewer packages, cargo would turn on
# fewer features of the dependencies and compile them a second time.
.PHONY: test-units
test-units: need-rust nextest
	$(call say,unit tests)
	cargo nextest run --workspace -E 'not package(it)'

# The stack goes whatever happens: failures, Ctrl-C. One left by a killed run is not used again.
.PHONY: test-stack
test-stack: test-binaries nextest venv venv-api browser
	$(call say,end-to-end tests)
	@$(TEST_STACK) down >/dev/null
	@trap '$(TEST_STACK) down' EXIT; \
	$(TEST_STACK) up --port 0 --binaries $(TARGET_DIR)/debug --config tests/config $(TEST_PARAMS); \
	rm -f $(CLI_LOG); \
	set -a; source .local/test/stack.env; CLI_LOG=$(CLI_LOG); set +a; \
	cargo nextest run --workspace --no-fail-fast -E 'package(it)'; \
	$(PYTHON) infra/local/leaks.py --state .local/test --config tests/config --cli $(CLI_LOG)

# The same as `chaos` in minutes: fewer orders, each kind of fault once at a call that is made often enough.
.PHONY: test-chaos
test-chaos: test-binaries venv-chaos
	$(call say,faults)
	@$(PYTHON) tests/chaos/chaos.py --orders 150 --share 1 --cursed 1

# The profile of the tests: it links fast, and what they compile is not compiled again.
.PHONY: binaries
binaries: need-rust
	$(call say,building $(FUNCTIONS) for the local stack)
	cargo build --workspace --bins

# The same together with the tests: cargo then compiles the dependencies once for both, with the features of both.
.PHONY: test-binaries
test-binaries: need-rust
	$(call say,building $(FUNCTIONS) and the tests)
	cargo build --workspace --bins --tests

# What pip is told to ask, as uv does not read pip's settings. No address gets into the files.
.PHONY: lock
lock: need-python ## Write the lock files of the Python tools anew from their .in files; UPGRADE=1 takes the newest of what those need
	@test -x .local/venv-lock/bin/uv || { python3 -m venv .local/venv-lock && .local/venv-lock/bin/pip install --quiet uv==$(UV_VERSION); }
	@index=$${UV_DEFAULT_INDEX:-$$(.local/venv-lock/bin/pip config get global.index-url 2>/dev/null || true)}; \
	if [ -n "$$index" ]; then export UV_DEFAULT_INDEX=$$index; fi; \
	lock() { echo "$$1.txt"; .local/venv-lock/bin/uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url \
	  $(if $(UPGRADE),--upgrade) "$${@:2}" "$$1.in" --output-file "$$1.txt"; }; \
	lock infra/local/requirements --python-version 3.10; \
	lock infra/local/requirements-lint --python-version 3.10 --constraint infra/local/requirements.txt; \
	lock infra/local/requirements-policy --python-version 3.10; \
	lock infra/screenshots/requirements --python-version 3.10 --constraint infra/local/requirements.txt; \
	lock tests/chaos/requirements --python-version 3.10 --constraint infra/local/requirements.txt; \
	lock tests/api/requirements --python-version 3.10; \
	for part in intake processor runtime; do lock tests/bench/peers/python/requirements-$$part --python-version 3.11 --no-deps; done

.PHONY: venv venv-lint venv-policy venv-chaos venv-screenshots venv-api
venv: need-python
	@python3 infra/local/venv.py .local/venv infra/local/requirements.txt
venv-lint: need-python
	@python3 infra/local/venv.py .local/venv infra/local/requirements.txt infra/local/requirements-lint.txt
venv-policy: need-python
	@python3 infra/local/venv.py .local/venv-policy infra/local/requirements-policy.txt
venv-chaos: need-python
	@python3 infra/local/venv.py .local/venv infra/local/requirements.txt tests/chaos/requirements.txt
venv-screenshots: need-python
	@python3 infra/local/venv.py .local/venv infra/local/requirements.txt infra/screenshots/requirements.txt
venv-api: need-python
	@python3 infra/local/venv.py .local/venv-api tests/api/requirements.txt

# A debug build of it compiles in a third of the time and checks in seconds too.
.PHONY: deny
deny: need-rust
	@cargo deny --version 2>/dev/null | grep -qF $(DENY_VERSION) || { \
	  echo "installing cargo-deny $(DENY_VERSION) into .local/cargo (a few minutes, once)"; \
	  cargo install --quiet --locked --debug --version $(DENY_VERSION) --root .local/cargo cargo-deny; }

.PHONY: cargo-fuzz
cargo-fuzz: need-rust
	@cargo fuzz --version 2>/dev/null | grep -qF $(FUZZ_VERSION) || { \
	  echo "installing cargo-fuzz $(FUZZ_VERSION) into .local/cargo (a minute, once)"; \
	  cargo install --quiet --locked --debug --version $(FUZZ_VERSION) --root .local/cargo cargo-fuzz; }

.PHONY: cyclonedx
cyclonedx: need-rust
	@cargo cyclonedx --version 2>/dev/null | grep -qF $(CYCLONEDX_VERSION) || { \
	  echo "installing cargo-cyclonedx $(CYCLONEDX_VERSION) into .local/cargo (a few minutes, once)"; \
	  cargo install --quiet --locked --debug --version $(CYCLONEDX_VERSION) --root .local/cargo cargo-cyclonedx; }

.PHONY: nextest
nextest: need-rust
	@cargo nextest --version >/dev/null 2>&1 || { \
	  echo "installing cargo-nextest $(NEXTEST_VERSION) into .local/cargo (a few minutes, once)"; \
	  cargo install --quiet --locked --debug --version $(NEXTEST_VERSION) --root .local/cargo cargo-nextest; }

# What the tests of the console look at its pages with. npm fetches what the lock file names by its digest, and runs nothing of it.
AXE := tests/it/console/axe
.PHONY: browser
browser:
	$(call need,chromium,The console is tested in it. On Debian or Ubuntu: apt-get install chromium)
	$(call need,chromedriver,It drives Chromium. On Debian or Ubuntu: apt-get install chromium-driver)
	$(call need,npm,It fetches axe-core, by which pages are checked. On Debian or Ubuntu: apt-get install npm)
	@cmp -s $(AXE)/package-lock.json .local/axe/installed || { \
	  echo "installing axe-core into .local/axe"; \
	  rm -rf .local/axe; mkdir -p .local/axe; cp $(AXE)/package.json $(AXE)/package-lock.json .local/axe/; \
	  npm --prefix .local/axe ci --ignore-scripts --no-audit --no-fund --loglevel=error; \
	  cp $(AXE)/package-lock.json .local/axe/installed; }

# The default is for trying out: nobody means to deploy it by leaving CONFIG out.
.PHONY: need-config
need-config:
	@case "$(origin CONFIG)" in file) echo "error: say which configuration to deploy: make deploy CONFIG=dir [ARCH=arm64]" >&2; exit 1;; esac

.PHONY: need-rust need-python
need-rust:
	$(call need,cargo,Install Rust: https://rustup.rs)
	$(call need,cc,It compiles the C parts of dependencies. On Debian or Ubuntu: apt-get install build-essential; on macOS: xcode-select --install)
need-python:
	$(call need,python3,Install Python 3.10 or newer: https://www.python.org/downloads/)
