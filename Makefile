# The front door. The work is in xtask; `cargo xtask` alone lists its commands. All but `install` work with the server
# whose pg_config the variable VW_PG_CONFIG of the environment names, or with the newest of Debian's.
PG_CONFIG ?= pg_config
# Benchmarks to run, by name; all when empty.
BENCH ?=

.PHONY: run test bench install fmt lint

# The server, the service and a demo collection on this machine, until Ctrl-C. VW_PORT and VW_HOME are honoured.
run:
	@cargo xtask run

# Everything that can fail.
test:
	@cargo xtask test

bench:
	@cargo xtask bench $(BENCH)

install:
	@cargo xtask install --pg-config "$(PG_CONFIG)"

fmt:
	@cargo fmt --all

lint:
	@cargo xtask lint
