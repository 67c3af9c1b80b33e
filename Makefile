# SPDX-License-Identifier: GPL-3.0-or-later
# `make help` lists the targets. Each flavour (plain, sanitized) has its own tree
# under build/, so that switching between them never mixes objects; build/bin/strads
# is the plain one. A tree is built anew when its compiler or flags change.

CSTD     := -std=c11 -D_POSIX_C_SOURCE=200809L
WARN     := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
            -Wvla -Wconversion -Wno-sign-conversion
OPT      ?= -O3 -g
WERROR   ?=
SAN      ?=
T        ?=
DESTDIR  ?=
PREFIX   ?= /usr/local

comma    := ,
FLAVOUR  := $(if $(SAN),san-$(subst $(comma),-,$(SAN)),release)
B        := build/$(FLAVOUR)
SANFLAGS := $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=all)

VERSION  := $(shell sed -n 's/^#define STRADS_VERSION "\(.*\)"/\1/p' strads/strads.h)
ABI      := 0

# GSL brings its own reference BLAS. OpenBLAS, which the model programs use, must stand
# before it: the first to define a name wins.
PKGS     := yaml-0.1 jansson zlib gsl libxxhash
pkg       = $(foreach p,$(2),$(shell pkg-config $(1) $(p)))
PKG_CPP  := $(call pkg,--cflags,$(PKGS))
PKG_LIBS := $(call pkg,--libs,$(PKGS))
BLAS     := $(call pkg,--libs,openblas)
CUNIT    := $(call pkg,--libs,cunit)
CFLAGS   += $(CSTD) $(WARN) $(WERROR) $(OPT) $(SANFLAGS) -pthread -fPIC -fvisibility=hidden
CPPFLAGS += -I. -MMD -MP $(PKG_CPP)
# nng and mbed TLS ship no .pc file.
LDLIBS   += $(PKG_LIBS) -lnng -lmbedx509 -lmbedcrypto -ldl -lm -pthread

LIB_SRC  := $(sort $(wildcard base/*.c net/*.c data/*.c prioritizer/*.c ssp/*.c strads/*.c))
APP_SRC  := $(sort $(wildcard apps/*/*.c))
CLI_SRC  := $(sort $(wildcard cli/*.c))
TEST_SRC := $(sort $(shell find $(wildcard $(addprefix tests/,unit integration property stress)) \
              -name 'test_*.c' -path '*$(T)*'))
BENCH_SRC := $(sort $(wildcard bench/bench_*.c))
FUZZ_SRC := $(sort $(wildcard tests/fuzz/fuzz_*.c))
SUPPORT  := $(sort $(wildcard tests/support/*.c))
LIB_OBJ  := $(LIB_SRC:%.c=$B/%.o)
# Kernels are compiled once for every instruction set; the choice is made at run time.
KERNELS  := $(sort $(wildcard apps/*/kernels.c))
ISAS     := portable $(if $(filter x86_64,$(shell uname -m)),avx2 avx512)
KERN_OBJ := $(foreach v,$(ISAS),$(KERNELS:%.c=$B/%_$v.o))
APP_OBJ  := $(filter-out $(KERNELS:%.c=$B/%.o),$(APP_SRC:%.c=$B/%.o)) $(KERN_OBJ)
CLI_OBJ  := $(CLI_SRC:%.c=$B/%.o)
TESTS    := $(TEST_SRC:%.c=$B/%)
BENCHES  := $(BENCH_SRC:%.c=$B/%)
FUZZERS  := $(FUZZ_SRC:%.c=$B/%)
HEADERS  := base/base.h data/data.h data/ids.h data/ratings.h data/corpus.h prioritizer/prioritizer.h ssp/ssp.h strads/strads.h strads/grid.h strads/run.h

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all check lint bench install clean help tests fuzz changed $(TESTS:%=%.run)

all: $B/bin/strads $B/lib/libstrads.a  ## build the strads command and the libraries (build/bin/strads)
ifeq ($B,build/release)
all: build/bin/strads
build/bin/strads: $B/bin/strads
	@mkdir -p $(@D)
	@ln -sf ../../$< $@
endif

$B/lib/libstrads.a: $(LIB_OBJ)
	@mkdir -p $(@D)
	@rm -f $@
	@$(AR) rcs $@ $^

$B/lib/libstrads.so.$(ABI): $(LIB_OBJ)
	@mkdir -p $(@D)
	@$(CC) -shared -Wl,-soname,libstrads.so.$(ABI) $(CFLAGS) $(LDFLAGS) $^ $(LDLIBS) -o $@
	@ln -sf libstrads.so.$(ABI) $B/lib/libstrads.so

$B/lib/libapps.a: $(APP_OBJ)
	@mkdir -p $(@D)
	@rm -f $@
	@$(AR) rcs $@ $^

# What the tests see of the command.
$B/lib/libcli.a: $(filter-out $B/cli/main.o,$(CLI_OBJ))
	@mkdir -p $(@D)
	@rm -f $@
	@$(AR) rcs $@ $^

# -rdynamic is not needed: plug-ins find the framework in libstrads.so.
$B/bin/strads: $(CLI_OBJ) $B/lib/libapps.a $B/lib/libstrads.so.$(ABI)
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS) $(LDFLAGS) $(CLI_OBJ) $B/lib/libapps.a -L$B/lib -lstrads \
	  -Wl,-rpath,'$$ORIGIN/../lib' $(BLAS) $(LDLIBS) -o $@

$B/flags: changed
	@mkdir -p $(@D)
	@echo '$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS)' | cmp -s - $@ || \
	  echo '$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS)' > $@

$B/%.o: %.c Makefile $B/flags
	@mkdir -p $(@D)
	@$(CC) $(CPPFLAGS) $(CFLAGS) -c $< -o $@

ISA_portable := -DKERNEL_ISA=portable
ISA_avx2     := -DKERNEL_ISA=avx2 -mavx2 -mfma -ffp-contract=fast
ISA_avx512   := -DKERNEL_ISA=avx512 -mavx512f -mavx512dq -mavx512vl -mavx512bw -mfma \
                -mprefer-vector-width=512 -ffp-contract=fast
define kernel_rule
$B/%/kernels_$(1).o: %/kernels.c Makefile $B/flags
	@mkdir -p $$(@D)
	@$$(CC) $$(CPPFLAGS) $$(CFLAGS) $(if $(SAN),-O1 -DKERNEL_SANITIZED,-O3) $$(ISA_$(1)) -c $$< -o $$@
endef
$(foreach v,$(ISAS),$(eval $(call kernel_rule,$v)))

$B/tests/support/libsupport.a: $(SUPPORT:%.c=$B/%.o)
	@rm -f $@
	@$(AR) rcs $@ $^

TEST_LIBS := $B/tests/support/libsupport.a $B/lib/libcli.a $B/lib/libapps.a $B/lib/libstrads.a

# tests/support/watch.c stands between the nodes and the net.
WATCHED := create attach send leave exchange_sum destroy
$B/tests/property/%: private LDFLAGS += $(WATCHED:%=-Wl,--wrap=net_%)
# test_table_faults.c stands between the parts of ssp/.
PLANTED := session_wait remote_ask remote_refresh message_create message_read_rows shared_row_apply
$B/tests/property/test_table_faults: private LDFLAGS += $(PLANTED:%=-Wl,--wrap=ssp_%)

$(TESTS): $B/%: $B/%.o $(TEST_LIBS)
	@$(CC) $(CFLAGS) $(LDFLAGS) $^ $(CUNIT) $(BLAS) $(LDLIBS) -o $@

$B/bench/%: $B/bench/%.o $B/lib/libapps.a $B/lib/libstrads.a
	@$(CC) $(CFLAGS) $(LDFLAGS) $^ $(BLAS) $(LDLIBS) -o $@

$(FUZZERS): $B/%: $B/%.o $(TEST_LIBS)
	@$(CC) $(CFLAGS) -fsanitize=fuzzer $(LDFLAGS) $^ $(BLAS) $(LDLIBS) -o $@

tests: $(TESTS)               ## build the test programs
fuzz: $(FUZZERS)              ## build the fuzz targets (CC=clang SAN=fuzzer-no-link,address,undefined)

check: $(TESTS:%=%.run)       ## build and run the tests (T=data narrows, SAN=address,undefined)
	$(if $(TESTS),,$(error no test matches T=$(T)))

# The command that integration tests drive is the one of the same flavour.
$(TESTS:%=%.run): %.run: % $B/bin/strads
	@STRADS_BIN=$B/bin/strads $<

bench: all $(BENCHES)         ## build and run the benchmarks, one JSON line a case
	@for b in $(BENCHES); do $$b || exit 1; done

lint: all                     ## format, static checks, layering, headers, symbols, docs
	@scripts/lint

INCLUDE  := $(DESTDIR)$(PREFIX)/include/strads
LIBDIR   := $(DESTDIR)$(PREFIX)/lib
SHARE    := $(DESTDIR)$(PREFIX)/share

install: all                  ## install the command, libraries and headers (DESTDIR, PREFIX)
	@for h in $(HEADERS); do install -D -m 644 $$h $(INCLUDE)/$$h || exit 1; done
	@install -D -m 755 $B/bin/strads $(DESTDIR)$(PREFIX)/bin/strads
	@install -D -m 755 $B/lib/libstrads.so.$(ABI) $(LIBDIR)/libstrads.so.$(ABI)
	@ln -sf libstrads.so.$(ABI) $(LIBDIR)/libstrads.so
	@install -D -m 644 $B/lib/libstrads.a $(LIBDIR)/libstrads.a
	@install -d $(LIBDIR)/pkgconfig $(SHARE)/strads
	@sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' strads/strads.pc.in \
	  > $(LIBDIR)/pkgconfig/strads.pc
	@install -D -m 644 docs/strads.1 $(SHARE)/man/man1/strads.1
	@install -m 644 configs/*.* $(SHARE)/strads/

clean:                        ## remove everything that was built
	@rm -rf build

help:                         ## list the targets
	@sed -n 's/^\([a-z]*\):[^#]*## /\1\t/p' Makefile | expand -t 12

-include $(LIB_OBJ:.o=.d) $(APP_OBJ:.o=.d) $(CLI_OBJ:.o=.d) $(TESTS:%=%.d) $(BENCHES:%=%.d) \
  $(FUZZERS:%=%.d) $(SUPPORT:%.c=$B/%.d)
