# `make` alone prints this help.
.DEFAULT_GOAL := help
GO ?= go
PREFIX ?= $(or $(shell $(GO) env GOBIN),$(shell $(GO) env GOPATH)/bin)
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null)
LDFLAGS := -s -w -X instep/cmd/internal/cli.buildVersion=$(VERSION)
FUZZTIME ?= 60s
SOAK ?= 2000
SOAKTIME ?= 60m
SEED ?= random

.PHONY: help build install check lint test generate bench fuzz soak dist reproduce man docker clean

help: ## print this help
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

build: ## build bin/instep
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/instep ./cmd/instep

install: build ## install instep and git-instep (so that `git instep v3.110` works) into PREFIX
	mkdir -p '$(PREFIX)'
	install -m 755 bin/instep '$(PREFIX)/instep'
	ln -sf instep '$(PREFIX)/git-instep'

check: lint ## everything that a change must pass: format, vet, staticcheck, tests with the race detector, documents, architecture
	$(GO) test -race ./...

lint:
	@out=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$out" ] || { echo "gofmt -w these:"; echo "$$out"; exit 1; }
	$(GO) vet ./...
	$(GO) tool staticcheck ./...

# Of a verbose log, read twice: what failing tests said, and whatever no test said (a panic, a race, what does not compile).
define FAILURES
NR == FNR { if ($$1 == "---" && $$2 == "FAIL:") failed[$$3] = 1; next }
$$1 == "===" { test = $$3; next }
/^ *--- (PASS|SKIP):/ { next }
/^    / && !/^ *--- FAIL:/ && !(test in failed) { next }
{ print }
endef
export FAILURES

test: ## run the tests; what needs a server, Docker or Python is skipped with a line that says so
	@log=$$(mktemp); $(GO) test -v $(TESTFLAGS) ./... >$$log 2>&1; code=$$?; \
	if [ $$code = 0 ]; then grep -E '^ok' $$log; else awk "$$FAILURES" $$log $$log; fi; \
	echo "skipped:"; grep -hE 'SKIPPED[:,]' $$log | sed -E 's/^ *[a-z_]+\.go:[0-9]+: /  /' | sort -u; \
	rm -f $$log; exit $$code

generate: ## bring generated documents and expected outputs up to date
	$(GO) test ./cmd/instep ./cmd/internal/report -update

bench: ## run the benchmarks
	$(GO) test -run '^$$' -bench . -benchmem ./...

fuzz: ## run every fuzz target for FUZZTIME
	@set -e; for pkg in $$($(GO) list ./...); do \
		for f in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
			echo "$$pkg $$f"; $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) $$pkg; \
		done; \
	done

soak: ## judge SOAK random upgrades on each of two real servers, for SOAKTIME at most; SEED=n SOAK=1 repeats a miss
	INSTEP_SOAK=$(SOAK) INSTEP_SOAKTIME=$(SOAKTIME) INSTEP_SEED=$(SEED) $(GO) test ./analyzer/rules -run '^TestSound$$' -count=1 -v -timeout 0

dist: ## archives, bills of materials and checksums for all systems, in dist
	$(GO) run ./cmd/internal/dist -version '$(VERSION)' $(DISTFLAGS)

reproduce: ## build what is in dist again, elsewhere and with an empty cache, and compare byte for byte
	$(GO) run ./cmd/internal/dist -version '$(VERSION)' -verify $(DISTFLAGS)

man: ## the manual page bin/instep.1
	@mkdir -p bin
	$(GO) run ./cmd/instep man >bin/instep.1

docker: ## the image instep (BUILDER=… another image with Go)
	docker build -t instep --build-arg VERSION='$(VERSION)' $(if $(BUILDER),--build-arg BUILDER='$(BUILDER)') .

clean: ## remove what was built
	rm -rf bin dist
