# The front door: run, test, bench, install, fmt, lint. The work is in xtask.
PG_CONFIG ?= pg_config

.PHONY: test fmt lint

test:
	cargo test --release

fmt:
	cargo fmt --all

lint:
	cargo fmt --all --check
	cargo clippy --release --all-targets -- -D warnings
