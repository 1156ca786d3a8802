# steward: a PostgreSQL extension.  "make demo" and "make test" need nothing but this clone and Debian's packages;
# "make && make install && make installcheck" is for an existing server (PG_CONFIG chooses it).

EXTENSION   = steward
EXTVERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" steward.control)
MODULE_big  = steward

# The two generated files: what CREATE EXTENSION runs, and what steward.setup() runs (compiled in, so that code and
# schema cannot be of different releases).
SCRIPT  = steward--$(EXTVERSION).sql
SETUP_C = src/core/setup_script.c
SQL_EXT   = $(sort $(wildcard sql/extension/*.sql))
SQL_SETUP = $(sort $(wildcard sql/setup/*/*.sql))

DATA_built  = $(SCRIPT)
DATA        = $(wildcard sql/extension/update/*--*.sql)
OBJS        = $(patsubst %.c,%.o,$(sort $(wildcard src/*/*.c) $(SETUP_C)))
EXTRA_CLEAN = $(SCRIPT) $(SETUP_C) output_iso tmp_check log results regression.* test/fuzz/build

PG_CPPFLAGS = -Isrc -DSTEWARD_VERSION='"$(EXTVERSION)"'
PG_CFLAGS   = -Wall -Wextra -Werror -Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers
# The server was built by gcc, and hands its options on.
ifneq (,$(findstring clang,$(CC)))
PG_CFLAGS  += -Wno-unknown-warning-option -Wno-ignored-optimization-argument -Wno-ignored-attributes
endif
SHLIB_LINK  = -lcrypto -Wl,--version-script=src/steward.map

# pg_regress looks in the output directory first: expected/ is ours at the top, the inputs are below test/.
REGRESS       = $(shell sed -n 's/^test: *//p' test/schedule)
REGRESS_OPTS  = --inputdir=test --outputdir=.
ISOLATION     = $(sort $(patsubst test/specs/%.spec,%,$(wildcard test/specs/*.spec)))
ISOLATION_OPTS = --inputdir=test --outputdir=.
TAP_TESTS     = 1
PROVE_TESTS   = test/t/*.pl

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)
ifneq ($(wildcard $(PGXS)),)
include $(PGXS)
else
all install installcheck clean:
	@echo "PostgreSQL's development files are missing: run tools/deps, or set PG_CONFIG" >&2; exit 1
endif
.DEFAULT_GOAL := all

# The folders are named as well, for the sake of files that are gone.
$(SCRIPT): $(SQL_EXT) sql/extension
	cat $(SQL_EXT) > $@.tmp && mv $@.tmp $@
$(SETUP_C): $(SQL_SETUP) $(wildcard sql/setup/*) tools/embed-setup
	tools/embed-setup $(SQL_SETUP) > $@.tmp && mv $@.tmp $@
# One rule for all: a header changed means everything is built again; the whole takes seconds.
$(OBJS) $(OBJS:.o=.bc): $(wildcard src/*.h src/*/*.h)

.PHONY: demo test bench fuzz reference format format-check
demo:
	@tools/deps
	@tools/with-cluster tools/demo
test:
	@tools/deps
	@tools/with-cluster tools/run-tests
bench:
	@tools/deps
	@tools/with-cluster test/bench/run
fuzz:
	@tools/deps
	@test/fuzz/run
reference:
	@tools/deps
	@tools/with-cluster sh -c 'mkdir -p $$STEWARD_OUT/doc && tools/reference > $$STEWARD_OUT/doc/reference.md'
format:
	clang-format -i $(wildcard src/*.h src/*/*.h) $(filter-out $(SETUP_C),$(wildcard src/*/*.c test/fuzz/*.c))
format-check:
	clang-format --dry-run -Werror $(wildcard src/*.h src/*/*.h) $(filter-out $(SETUP_C),$(wildcard src/*/*.c test/fuzz/*.c))
