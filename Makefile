# Every target says what it is for; `make help` prints them. Before: Rust, make, sh.
PREFIX ?= /usr/local
TARGET := $(or $(CARGO_TARGET_DIR),target)
BIN ?= $(firstword $(wildcard $(TARGET)/dist/waddleperf $(TARGET)/release/waddleperf))
SECONDS ?= 60
export PREFIX DESTDIR BIN

.PHONY: help run test lint check drift setup-test bench fuzz image dist install uninstall

help: ## print this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1\t\2/p' Makefile | expand -t 14

run: ## install what is missing, build, serve with examples/waddleperf.toml
	@scripts/setup run
	cargo run --release --locked -- serve --config examples/waddleperf.toml --data .waddleperf

test: ## install the peers that the tests talk to, then run every test
	@scripts/setup test && scripts/test

lint: ## formatting, clippy and documentation, warnings refused
	@scripts/setup run && cargo fmt --check
	cargo clippy --all-targets --locked -- -D warnings
	RUSTDOCFLAGS=-Dwarnings cargo doc --no-deps --locked --document-private-items

check: lint test ## before every commit: lint and test

drift: ## write man/, completions/ and the generated parts of docs/ anew
	cargo build --locked && rm -rf man completions
	cargo run --locked -- setup man --dir man
	cargo run --locked -- setup completions --dir completions
	cargo run --locked -- setup docs --dir docs

setup-test: ## install the peers that the tests talk to
	@scripts/setup test

bench: ## measure beside the peers, ratios printed (bench profile)
	@scripts/setup bench
	cargo bench --locked

fuzz: ## run each fuzz target for SECONDS (60)
	@command -v cargo-fuzz >/dev/null || { echo "needs cargo-fuzz (cargo install cargo-fuzz)" >&2; exit 2; }
	for t in $$(cargo fuzz list); do RUSTC_BOOTSTRAP=1 cargo fuzz run $$t -- -max_total_time=$(SECONDS) || exit; done

image: ## build the image waddleperf:latest with docker, podman or buildah
	@scripts/image

dist: ## build the binary that is released
	@scripts/setup run
	cargo build --profile dist --locked --features vendored-openssl

install: ## install under DESTDIR and PREFIX (/usr/local) what `make dist` or a release build made
	@scripts/install install

uninstall: ## remove exactly what `make install` wrote
	@scripts/install uninstall
