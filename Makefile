# Two commands for a newcomer: make demo, make test. Everything else is for who works here.

GO       ?= go
FUZZTIME ?= 20s
LINTER    = $(GO) tool -modfile=tools/go.mod

# Only the race detector needs a C compiler. What is built, vetted and linted
# does without, so that those three share one build cache.
nocgo = CGO_ENABLED=0

.PHONY: demo test check build fmt lint race slow fuzz bench clean

demo: build          ## three hospital trusts on this machine, a revocation, and what it took
	bin/entente demo

test: lint race      ## what every change must pass

check: slow fuzz     ## the slow lane: crashes, long runs, fuzzing, a short benchmark
	$(GO) run ./bench -short

build:
	$(nocgo) $(GO) build -o bin/entente ./cmd/entente

fmt:
	gofmt -w .

lint:
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo 'run make fmt'; exit 1; }
	$(nocgo) $(GO) vet -tags slow ./...
	$(nocgo) $(LINTER) staticcheck -tags slow ./...
	$(nocgo) $(LINTER) exhaustive -d -typeignore '(trust\.Reason|jsontext\.Kind|SignatureAlgorithm)$$' ./...

race:
	CGO_ENABLED=1 $(GO) test -race -shuffle=on -vet=off -p 2 -timeout 10m ./...

# Tests behind the build tag slow: real crashes and long simulations.
slow:
	@packages=$$(grep -rl --include='*_test.go' '^//go:build slow' . | xargs -r -n1 dirname | sort -u); \
	test -n "$$packages" || { echo 'no slow test found'; exit 1; }; \
	set -x; $(GO) test -tags slow -shuffle=on -vet=off -p 1 -timeout 20m $$packages

# Every fuzz target there is, one after another.
fuzz:
	.ci/fuzz $(FUZZTIME)

bench:               ## ratios to bare operations; the last line is JSON
	@$(GO) run ./bench

clean:
	rm -rf bin
