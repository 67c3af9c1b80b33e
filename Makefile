# SPDX-License-Identifier: GPL-3.0-or-later
# `make help` lists the targets. Each flavour (plain, sanitized) has its own tree
# under build/, so that switching never mixes objects; build/bin/strads is the
# plain one.

CSTD     := -std=c11 -D_POSIX_C_SOURCE=200809L
WARN     := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
            -Wvla -Wconversion -Wno-sign-conversion
OPT      ?= -O2 -g
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

# OpenBLAS comes before GSL: `pkg-config --libs gsl` adds GSL's own slow gslcblas,
# and the first library to define cblas_dgemm wins.
PKGS     := yaml-0.1 jansson zlib openblas gsl
pkg       = $(foreach p,$(2),$(shell pkg-config $(1) $(p)))
CFLAGS   += $(CSTD) $(WARN) $(WERROR) $(OPT) $(SANFLAGS) -pthread -fPIC -fvisibility=hidden
CPPFLAGS += -I. -MMD -MP $(call pkg,--cflags,$(PKGS))
LDLIBS   += $(call pkg,--libs,$(PKGS)) -ldl -lm -pthread

LIB_SRC  := $(sort $(wildcard base/*.c net/*.c data/*.c prioritizer/*.c ssp/*.c strads/*.c))
APP_SRC  := $(sort $(wildcard apps/*/*.c))
CLI_SRC  := $(sort $(wildcard cli/*.c))
TEST_SRC := $(sort $(shell find tests/unit tests/integration tests/stress -name 'test_*.c' \
              -path '*$(T)*'))
BENCH_SRC := $(sort $(wildcard bench/bench_*.c))
SUPPORT  := $(sort $(wildcard tests/support/*.c))
LIB_OBJ  := $(LIB_SRC:%.c=$B/%.o)
# Kernels are compiled once for every instruction set; the choice is made at run time.
KERNELS  := $(sort $(wildcard apps/*/kernels.c))
KERN_OBJ := $(foreach v,portable avx2 avx512,$(KERNELS:%.c=$B/%_$v.o))
APP_OBJ  := $(filter-out $(KERNELS:%.c=$B/%.o),$(APP_SRC:%.c=$B/%.o)) $(KERN_OBJ)
CLI_OBJ  := $(CLI_SRC:%.c=$B/%.o)
TESTS    := $(TEST_SRC:%.c=$B/%)
BENCHES  := $(BENCH_SRC:%.c=$B/%)
HEADERS  := base/base.h data/data.h prioritizer/prioritizer.h strads/strads.h

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all check lint bench install clean help tests

all: $B/bin/strads            ## build the strads command and the libraries (build/bin/strads)
ifeq ($(SAN),)
all: build/bin/strads
build/bin/strads: $B/bin/strads
	@mkdir -p $(@D)
	@ln -sf ../release/bin/strads $@
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

# -rdynamic is not needed: plug-ins find the framework in libstrads.so.
$B/bin/strads: $(CLI_OBJ) $B/lib/libapps.a $B/lib/libstrads.so.$(ABI)
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS) $(LDFLAGS) $(CLI_OBJ) $B/lib/libapps.a -L$B/lib -lstrads \
	  -Wl,-rpath,'$$ORIGIN/../lib' $(LDLIBS) -o $@

$B/%.o: %.c Makefile
	@mkdir -p $(@D)
	@$(CC) $(CPPFLAGS) $(CFLAGS) -c $< -o $@

ISA_portable := -DKERNEL_ISA=portable
ISA_avx2     := -DKERNEL_ISA=avx2 -mavx2 -mfma
ISA_avx512   := -DKERNEL_ISA=avx512 -mavx512f -mavx512dq -mavx512vl -mavx512bw -mfma \
                -mprefer-vector-width=512
define kernel_rule
$B/%/kernels_$(1).o: %/kernels.c Makefile
	@mkdir -p $$(@D)
	@$$(CC) $$(CPPFLAGS) $$(CFLAGS) -O3 -fopenmp-simd $$(ISA_$(1)) -c $$< -o $$@
endef
$(foreach v,portable avx2 avx512,$(eval $(call kernel_rule,$v)))

$B/tests/support/libsupport.a: $(SUPPORT:%.c=$B/%.o)
	@rm -f $@
	@$(AR) rcs $@ $^

TEST_LIBS := $B/tests/support/libsupport.a $B/lib/libapps.a $B/lib/libstrads.a

$(TESTS): $B/%: $B/%.o $(TEST_LIBS)
	@$(CC) $(CFLAGS) $(LDFLAGS) $^ $(call pkg,--libs,cunit) $(LDLIBS) -o $@

$(BENCHES): $B/%: $B/%.o $B/lib/libapps.a $B/lib/libstrads.a
	@$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LDLIBS) -o $@

tests: $(TESTS)               ## build the test programs

check: all tests $(TESTS:%=%.run) ## build and run the tests (T=data narrows, SAN=address,undefined)
	$(if $(TESTS),,$(error no test matches T=$(T)))

# The command that integration tests drive is the one of the same flavour.
$(TESTS:%=%.run): %.run: % $B/bin/strads
	@STRADS_BIN=$B/bin/strads $<

bench: all $(BENCHES)         ## build and run the benchmarks, one JSON line a case
	@for b in $(BENCHES); do $$b || exit 1; done

lint:                         ## format, static checks, layering, headers, symbols, docs
	@scripts/lint

install: all                  ## install the command, libraries, headers (DESTDIR, PREFIX)
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/pkgconfig \
	  $(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/strads
	for h in $(HEADERS); do \
	  install -D -m 644 $$h $(DESTDIR)$(PREFIX)/include/strads/$$h || exit 1; done
	install -m 755 $B/bin/strads $(DESTDIR)$(PREFIX)/bin/strads
	install -m 755 $B/lib/libstrads.so.$(ABI) $(DESTDIR)$(PREFIX)/lib/
	ln -sf libstrads.so.$(ABI) $(DESTDIR)$(PREFIX)/lib/libstrads.so
	install -m 644 $B/lib/libstrads.a $(DESTDIR)$(PREFIX)/lib/
	install -m 644 docs/strads.1 $(DESTDIR)$(PREFIX)/share/man/man1/
	install -m 644 configs/*.yaml $(DESTDIR)$(PREFIX)/share/strads/
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' strads/strads.pc.in \
	  > $(DESTDIR)$(PREFIX)/lib/pkgconfig/strads.pc

clean:                        ## remove everything that was built
	rm -rf build

help:                         ## list the targets
	@sed -n 's/^\([a-z]*\):[^#]*## /\1\t/p' Makefile | expand -t 12

-include $(LIB_OBJ:.o=.d) $(APP_OBJ:.o=.d) $(CLI_OBJ:.o=.d) $(TESTS:%=%.d) $(BENCHES:%=%.d) \
  $(SUPPORT:%.c=$B/%.d)
