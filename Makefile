# What can be done here: make help.

SHELL         := /bin/bash
.SHELLFLAGS   := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help build generate check-generated lint test lab bench cost identity-matrix sql-matrix life access tasks accuracy oracle fuzz vm-test verifier-cost vagrant-test deps clean

# Where the installed Go is older than go.mod asks for, it fetches that toolchain itself.
export GOTOOLCHAIN ?= auto
export PATH := $(PATH):/usr/local/go/bin

VERSION     ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unreleased)
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
FUZZTIME    ?= 2s
BENCHTIME   ?= 1s
# Flags of the lab, as --keep
LABFLAGS    ?=
# Kernels to boot, as "6.1 6.12-arm64"; empty: all, and hosts that lack something
KERNELS     ?=

help: ## say what can be done
	@awk -F ': .*## ' '/^[a-z-]+:.*## /{printf "  make %-16s %s\n", $$1, $$2}' Makefile

build: ## compile bin/tenantrace: one static binary, no clang needed (GOARCH=arm64 for the other one)
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bin/tenantrace ./cmd/tenantrace

generate: ## rebuild the eBPF objects and their Go bindings (clang 14)
	go generate ./bpf

check-generated: ## rebuild them elsewhere and fail on a difference
	@.ci/check-generated

lint: ## gofmt, go vet, staticcheck; clang-format where it is installed
	@unformatted=$$(gofmt -l bpf cmd collector correlate lab); \
		if [ -n "$$unformatted" ]; then printf 'not gofmt-ed:\n%s\n' "$$unformatted"; exit 1; fi
	go vet ./...
	go run $(STATICCHECK) ./...
	@if command -v clang-format >/dev/null; then clang-format --dry-run -Werror bpf/*.c bpf/*.h; else echo 'clang-format is not installed: the C sources were not checked'; fi

test: deps ## run every tier of tests that this machine can run, and say which were left out
	@cmd/tenantrace/testdata/tasks/provision.sh
	@FUZZTIME=$(FUZZTIME) .ci/test

lab: deps build ## run the lab: a flawed Django service over mutual TLS, its traffic, and what tenantrace finds
	go run -trimpath ./lab/cmd/lab run --daemon bin/tenantrace $(LABFLAGS)

bench: deps build ## measure with and without the daemon, in pairs; then the Go benchmarks
	go run -trimpath ./lab/cmd/lab bench --daemon bin/tenantrace $(LABFLAGS)
	go test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) ./...

cost: deps build ## measure what the daemon costs servers that do next to nothing for a request, also with its probes on exported functions (5 minutes)
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.version=$(VERSION) -X tenantrace/collector/openssl.exportedOnly=yes' -o bin/tenantrace-exported ./cmd/tenantrace
	go run -trimpath ./lab/cmd/lab cost --daemon bin/tenantrace --other bin/tenantrace-exported --other-name 'exported functions' $(LABFLAGS)

identity-matrix: deps build ## hold the identity of each request against the certificate sent: many servers, TLS versions, kinds of sessions (20 minutes; fetches servers)
	go run ./lab/cmd/lab identity --daemon bin/tenantrace $(LABFLAGS)

accuracy: deps build ## hold links, sets of candidates and verdicts against the truth: servers, drivers, pools, loads, chaos (long; fetches servers; results in bin/accuracy.json)
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.version=$(VERSION) -X tenantrace/collector/probe.ringDivisor=16' -o bin/tenantrace-small ./cmd/tenantrace
	go run -trimpath ./lab/cmd/lab accuracy --daemon bin/tenantrace --small bin/tenantrace-small --json bin/accuracy.json $(LABFLAGS)

sql-matrix: deps build ## let many client libraries of PostgreSQL and MySQL send labelled statements, and count what was seen and known of them (fetches libraries)
	go run ./lab/cmd/lab sql --daemon bin/tenantrace $(LABFLAGS)

oracle: ## hold the SQL evidence against the grammars of PostgreSQL (needs gcc; its first build takes minutes) and MySQL, on generated and recorded statements
	cd lab/oracle && go vet ./... && go test -count=1 -v ./...

tasks: deps ## hold each link of Python servers on event loops and greenlets against the request that the statement names: CPython 3.9, 3.11, 3.13 (5 minutes; fetches interpreters)
	@cmd/tenantrace/testdata/tasks/provision.sh
	TENANTRACE_TASKS=all go test -count=1 -timeout 30m -v -run '^TestTasks$$' ./cmd/tenantrace

life: deps build ## play certificates that end, are revoked, come late, do not verify or change while their connections live (a minute; fetches servers)
	go run ./lab/cmd/lab life --daemon bin/tenantrace $(LABFLAGS)

access: deps build ## play how applications come to rows that are not their client's: by keys, pooled sessions, PgBouncer, schemas, databases, hierarchies (a minute)
	go run ./lab/cmd/lab access --daemon bin/tenantrace $(LABFLAGS)

fuzz: ## fuzz each parser (FUZZTIME=2s each)
	@FUZZTIME=$(FUZZTIME) .ci/fuzz

vm-test: deps ## boot other kernels and test there (KERNELS="6.1" for one; VM_ACCEL=kvm uses the processor); fetches them
	vm/test $(KERNELS)
	@if [ -z "$(KERNELS)" ]; then vm/lacking/test; fi

verifier-cost: deps ## record anew what the programs cost each kernel's verifier, in collector/probe/verifier-cost.tsv
	vm/verifier-cost

vagrant-test: deps ## bring the lab up in Vagrant, with a box built from Debian's archive, and look at it from outside (up to 30 minutes)
	vm/vagrant/test

deps: ## install what building, testing and the lab need and is not there (Debian 12; says what)
	@.ci/deps
	@lab/provision.sh

clean: ## remove what was built
	rm -rf bin
