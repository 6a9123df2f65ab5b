# Two commands for a newcomer: make demo, make test. Everything else is for who works here.

GO       ?= go
FUZZTIME ?= 60s
# How many histories the slow lane plays on each of two processors.
HISTORIES ?= 10000
LINTER    = $(GO) tool -modfile=tools/go.mod

# Only the race detector and PKCS #11 need a C compiler. All else does without, so
# that it is compiled once for all.
export CGO_ENABLED = 0

# What tests choose at random they choose by this number: the same tree finds the
# same everywhere. SEED=0 is another number each time.
ifndef SEED
SEED := $(shell .ci/seed)
endif
export RAPID_SEED = $(SEED)
shuffle = -shuffle=$(if $(filter 0,$(SEED)),on,$(SEED))

.PHONY: demo test check build build-pkcs11 fmt lint race bytes histories slow models network pkcs11 mutate some-mutants fuzz bench clean

demo: build          ## three hospital trusts on this machine, a revocation, and what it took
	bin/entente demo

test: lint race bytes histories ## what every change must pass

check: slow models network pkcs11 some-mutants fuzz ## the slow lane: crashes, long runs, models, lost checks, fuzzing, a short benchmark
	$(GO) run ./bench -short

build:
	$(GO) build -o bin/entente ./cmd/entente

build-pkcs11:        ## a program whose keys may be in a PKCS #11 token; needs a C compiler
	CGO_ENABLED=1 $(GO) build -tags pkcs11 -o bin/entente ./cmd/entente

fmt:
	gofmt -w .

lint:
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo 'run make fmt'; exit 1; }
	$(GO) vet -tags slow ./...
	$(LINTER) staticcheck -tags slow ./...
	$(LINTER) exhaustive -d -typeignore '(trust\.Reason|jsontext\.Kind|SignatureAlgorithm)$$' ./...
	$(GO) run ./internal/mutate -n

# Those that take longest begin, so that none of them runs on alone at the end.
race:
	CGO_ENABLED=1 $(GO) test -race $(shuffle) -vet=off -p 2 -timeout 30m ./node ./demo ./internal/readmetest \
		$$($(GO) list ./... | grep -vE '/(node|demo|internal/readmetest|internal/denial)$$')

# Every byte of a ledger and every question of the denial corpus, one by one: what
# the race detector makes too slow.
bytes:
	$(GO) test -vet=off -run '^TestEvery' ./ledger
	$(GO) test $(shuffle) -vet=off -timeout 30m ./internal/denial

# Whole nodes through random failures, by a time of their own, on each of two
# processors.
simulation = ./internal/simulation
histories:
	GO='$(GO)' .ci/histories 1000

# Real crashes over and over, every property on thousands of histories, and
# whatever stands behind the build tag slow.
slow:
	$(GO) test -vet=off -count=10 -timeout 30m -run '^Test(Kills|Crashes)$$' ./ledger
	$(GO) test -vet=off -p 2 -timeout 30m $(filter-out $(simulation),$(call folders,'"pgregory.net/rapid"')) -rapid.checks=5000
	set -e; for d in $(filter-out $(simulation),$(call folders,'^//go:build slow')); do $(GO) test -tags slow $(shuffle) -vet=off -timeout 30m $$d; done
	$(GO) test -tags slow -vet=off -timeout 30m -run '^TestPlanted' $(simulation)
	GO='$(GO)' .ci/histories $(HISTORIES)

# The models, searched as far as Spin can be had here.
models:
	docs/models/check

# Nodes whose packets the kernel drops, in a network of the test's own.
network:
	$(GO) vet -tags network ./demo
	if .ci/nftables; then unshare --net sh -c 'ip link set lo up && exec $(GO) test -tags network -vet=off -run TestTheNetworkFails ./demo'; fi

# Keys in a PKCS #11 token, as far as SoftHSM can be had here.
pkcs11:
	CGO_ENABLED=1 $(GO) vet -tags pkcs11 ./internal/pkcs11
	if .ci/softhsm; then CGO_ENABLED=1 $(GO) test -tags pkcs11 -vet=off ./internal/pkcs11; fi

# folders gives those whose tests have a line like this.
folders = $(shell grep -rl --include='*_test.go' -- $(1) . | xargs -r -n1 dirname | sort -u)

# One check after another is taken out of the code: a case of the denial corpus
# has to notice each.
mutate:
	$(GO) run ./internal/mutate

# A third of them, other ones for another tree.
some-mutants:
	$(GO) run ./internal/mutate -of 3 -from $(SEED)

# Every fuzz target there is, each for that long.
fuzz:
	.ci/fuzz $(FUZZTIME)

bench:               ## ratios to bare operations; the last line is JSON
	@$(GO) run ./bench

clean:
	rm -rf bin
