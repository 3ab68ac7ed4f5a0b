# SPDX-License-Identifier: GPL-2.0-or-later
# make [V=1] [SANITIZE=1]    make unit | check | check-vm | check-dhcp | soak | demo | bench | install DESTDIR= PREFIX= | clean
# make kmod [KDIR=headers of a kernel] | lint-kmod | check-kasan | install-kmod DESTDIR= (sources for DKMS)

PREFIX	 ?= /usr/local
DESTDIR	 ?=
UNITDIR	 ?= $(PREFIX)/lib/systemd/system
BUILD	 := build$(if $(SANITIZE),-san)
CC	 := gcc
CLANG	 ?= $(shell command -v clang-14 || echo clang)
BPFTOOL	 ?= $(shell command -v bpftool || echo /usr/sbin/bpftool)
VERSION	 := $(shell git describe --tags --always --dirty 2>/dev/null || echo 0.1)

PKGS	 := libbpf libmnl libnftnl libnetfilter_queue libconfuse json-c libuv libcurl libmicrohttpd libcrypto
CFLAGS	 ?= -O2 -g
CFLAGS	 += -std=gnu17 -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wformat=2 \
	    -Wno-unused-parameter -Werror -fno-strict-aliasing -MMD -MP -I. -Iuser -I$(BUILD) -D_GNU_SOURCE \
	    -DVERSION='"$(VERSION)"' $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
LDLIBS	 := $(shell pkg-config --libs $(PKGS) 2>/dev/null)
ifdef SANITIZE
CFLAGS	 += -fsanitize=address,undefined -fno-omit-frame-pointer
LDFLAGS	 += -fsanitize=address,undefined
endif
BPFFLAGS := -O2 -g -target bpf -mcpu=v3 -Wall -Wextra -Wno-unused-parameter -Werror -I. -Ibpf \
	    -idirafter /usr/include/$(shell uname -m)-linux-gnu \
	    $(if $(filter x86_64,$(shell uname -m)),-DASYM_ORDERED_LOADS)

Q	 := $(if $(V),,@)
say	  = $(if $(V),,@printf '  %-7s %s\n' '$(1)' '$(2)';)

SRC	 := $(sort $(wildcard user/*/*.c))
OBJ	 := $(SRC:%.c=$(BUILD)/%.o)
LIBOBJ	 := $(filter-out $(BUILD)/user/cmd/main.o,$(OBJ))
# the mesh's programs are an object of their own
BPFOBJ	 := $(patsubst %.bpf.c,$(BUILD)/%.o,$(sort $(filter-out bpf/overlay.bpf.c,$(wildcard bpf/*.bpf.c))))
SKEL	 := $(BUILD)/asymbpf.skel.h $(BUILD)/overlay.skel.h
UNIT	 := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/unit/test_*.c)))
BPFTEST	 := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/bpf/test_*.c)))
KMODTEST := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/kmod/test_*.c)) tests/vm/asymrule.c)
NETNS	 := $(sort $(wildcard tests/netns/[0-9]*.sh))
VMTEST	 := $(sort $(wildcard tests/vm/linux-*.sh))
# these have our own code in them, the other tools are on their own
PROBER	 := $(BUILD)/tests/netns/prober $(BUILD)/tests/netns/overlay $(BUILD)/tests/netns/policies
NETTOOL	 := $(filter-out $(PROBER),$(patsubst %.c,$(BUILD)/%,$(wildcard tests/netns/*.c tests/dhcp/*.c)))

.PHONY: all check check-vm check-kasan check-dhcp unit soak demo bench install clean setup layers kmod lint-kmod install-kmod
.DELETE_ON_ERROR:
.SECONDARY:

all: $(BUILD)/asymbpf

$(BUILD)/asymbpf: $(OBJ)
	$(call say,LINK,$@)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/user/%.o: user/%.c | $(SKEL)
	$(call say,CC,$<)mkdir -p $(@D) && $(CC) $(CFLAGS) -c -o $@ $<

$(BUILD)/bpf/%.o: bpf/%.bpf.c $(wildcard bpf/*.h bpf/lib/*.h)
	$(call say,BPF,$<)mkdir -p $(@D) && $(CLANG) $(BPFFLAGS) -c -o $@ $<

$(BUILD)/bpf/all.linked: $(BPFOBJ)
	$(call say,BPFLINK,$@)$(BPFTOOL) gen object $@ $^

$(BUILD)/asymbpf.skel.h: $(BUILD)/bpf/all.linked
	$(call say,SKEL,$@)$(BPFTOOL) gen skeleton $< name asymbpf_bpf > $@

$(BUILD)/overlay.skel.h: $(BUILD)/bpf/overlay.o
	$(call say,SKEL,$@)$(BPFTOOL) gen skeleton $< name overlay_bpf > $@

$(BUILD)/tests/%: tests/%.c $(LIBOBJ) $(wildcard tests/*/*.h)
	$(call say,CC,$<)mkdir -p $(@D) && $(CC) $(CFLAGS) $(LDFLAGS) -o $@ $< $(LIBOBJ) $(LDLIBS) -lcmocka

$(BUILD)/tests/bpf/overlay_eth.o: tests/bpf/overlay_eth.bpf.c $(wildcard bpf/*.h bpf/lib/*.h)
	$(call say,BPF,$<)mkdir -p $(@D) && $(CLANG) $(BPFFLAGS) -c -o $@ $<

$(BUILD)/tests/bpf/overlay_eth.skel.h: $(BUILD)/tests/bpf/overlay_eth.o
	$(call say,SKEL,$@)$(BPFTOOL) gen skeleton $< name overlay_eth > $@

$(filter $(BUILD)/tests/bpf/test_overlay%,$(BPFTEST)) $(BUILD)/tests/bench/overlay/transit: \
	$(BUILD)/tests/bpf/overlay_eth.skel.h $(wildcard tests/bench/overlay/*.h)

$(NETTOOL): $(BUILD)/%: %.c $(wildcard tests/netns/*.h tests/dhcp/*.h)
	$(call say,CC,$<)mkdir -p $(@D) && $(CC) $(CFLAGS) $(LDFLAGS) -o $@ $<

$(BUILD)/tests/bench/traffic.o: tests/bench/traffic.bpf.c $(wildcard tests/bench/*.h)
	$(call say,BPF,$<)mkdir -p $(@D) && $(CLANG) $(BPFFLAGS) -c -o $@ $<

$(BUILD)/tests/bench/traffic.skel.h: $(BUILD)/tests/bench/traffic.o
	$(call say,SKEL,$@)$(BPFTOOL) gen skeleton $< name traffic > $@

$(BUILD)/tests/bench/bench: $(wildcard tests/bench/*.[ch]) $(LIBOBJ) $(BUILD)/tests/bench/traffic.skel.h
	$(call say,CC,$@)$(CC) $(CFLAGS) -I$(@D) $(LDFLAGS) -o $@ $(filter-out %.bpf.c,$(filter %.c %.o,$^)) $(LDLIBS)

# make fuzz [SECONDS=60]: clang's libFuzzer (package libclang-rt-14-dev) on what reads foreign text
SECONDS	 ?= 60
FUZZ	 := config control dhcp mesh wire
fuzz: $(FUZZ:%=$(BUILD)/tests/fuzz/fuzz_%)
	$(Q)for f in $(FUZZ); do mkdir -p $(BUILD)/corpus/$$f && \
		$(BUILD)/tests/fuzz/fuzz_$$f -max_total_time=$(SECONDS) $(BUILD)/corpus/$$f tests/fuzz/corpus/$$f || exit 1; done

$(BUILD)/tests/fuzz/%: tests/fuzz/%.c $(wildcard user/base/*.[ch] user/core/*.[ch] user/run/control_request.[ch])
	$(call say,FUZZ,$@)mkdir -p $(@D) && $(CLANG) -g -O1 -std=gnu17 -D_GNU_SOURCE -I. -Iuser \
		-fsanitize=fuzzer,address,undefined -o $@ $(filter %.c,$^) -lconfuse -ljson-c

layers:
	$(Q)scripts/check-layers

unit: $(UNIT) layers
	$(Q)CMOCKA_MESSAGE_OUTPUT=TAP prove $(if $(V),-v) --exec "tests/run --tap" $(UNIT)

setup:
	$(Q)scripts/setup

check: setup
	$(Q)$(MAKE) --no-print-directory run-check

.PHONY: run-check
run-check: all layers $(UNIT) $(BPFTEST) $(KMODTEST) $(NETTOOL) $(PROBER)
	$(Q)ASYMBPF=$(CURDIR)/$(BUILD)/asymbpf tests/run $(UNIT) $(BPFTEST) $(NETNS) $(VMTEST)

# More of the tests under Debian's kernels; check runs a part of them.
check-vm: setup
	$(Q)$(MAKE) --no-print-directory all $(BPFTEST) $(KMODTEST) $(BUILD)/tests/unit/test_shim $(BUILD)/tests/unit/test_wireguard $(NETTOOL) $(PROBER)
	$(Q)ASYMBPF=$(CURDIR)/$(BUILD)/asymbpf ASYMBPF_VM_ALL=1 TEST_TIMEOUT=7300 tests/run tests/vm/machine.sh $(patsubst %,tests/vm/kmod_%.sh,router auto sockets) $(VMTEST)

# The kernel module under a kernel that watches itself.  The first time that is built, from Debian's source:
# a quarter of an hour, 4 GB.
check-kasan:
	$(Q)scripts/setup kasan
	$(Q)$(MAKE) --no-print-directory all $(KMODTEST)
	$(Q)ASYMBPF=$(CURDIR)/$(BUILD)/asymbpf ASYMBPF_VM_ALL=1 TEST_TIMEOUT=7200 tests/run tests/vm/kasan.sh

# make soak [MINUTES=30] [SEED=n]: faults at random under traffic, beside the daemon
MINUTES	 ?= 30
SEED	 ?=
soak: setup
	$(Q)$(MAKE) --no-print-directory all $(NETTOOL)
	$(Q)ASYMBPF=$(CURDIR)/$(BUILD)/asymbpf tests/soak $(MINUTES) $(SEED)

# make check-dhcp [JOBS=10] [ONLY=REGEX]: all DHCP clients, servers and providers, as a table; doc/dhcp.md has one
JOBS	 ?= 10
ONLY	 ?= .
check-dhcp: setup
	$(Q)$(MAKE) --no-print-directory all $(NETTOOL)
	$(Q)ASYMBPF=$(CURDIR)/$(BUILD)/asymbpf nice -n 5 tests/dhcp/matrix -j $(JOBS) '$(ONLY)'

demo: setup
	$(Q)$(MAKE) --no-print-directory all $(NETTOOL)
	$(Q)scripts/demo

bench: setup
	$(Q)$(MAKE) --no-print-directory all $(BUILD)/tests/bench/bench $(BUILD)/tests/netns/tunlink
	$(Q)BUILD=$(CURDIR)/$(BUILD) tests/bench/run $(BENCH)

# The kernel module.  kbuild writes beside its sources, so it is given copies of them.
KDIR	 ?= /lib/modules/$(shell uname -r)/build
KMODOUT	 ?= $(BUILD)/kmod
KMODSRC	 := $(wildcard kmod/*.[ch]) kmod/Kbuild kmod/uapi/nft_asym.h bpf/abi.h bpf/lib/select.h
# 6.1's headers have neither the kernel's BTF nor the tool, scripts/kmod lends them
KMODBTF	  = $(if $(and $(wildcard $(KDIR)/vmlinux),$(wildcard $(KDIR)/tools/bpf/resolve_btfids/resolve_btfids),\
	    $(shell command -v pahole)),,CONFIG_DEBUG_INFO_BTF_MODULES=)
kmod:
	$(Q)[ -e "$(KDIR)/Makefile" ] || { echo "make: no kernel headers in '$(KDIR)', expected KDIR=" \
		"the headers of the kernel that is to load the module (Debian: package linux-headers-...)" >&2; exit 1; }
	$(Q)mkdir -p $(KMODOUT) && cp -u --parents $(KMODSRC) $(KMODOUT)
	$(call say,KMOD,$(KMODOUT)/asymbpf.ko)$(MAKE) $(if $(V),V=1,-s) --no-print-directory -C $(KDIR) \
		M=$(abspath $(KMODOUT))/kmod ASYM_VERSION=$(VERSION) ASYM_WERROR=-Werror $(KMODBTF) modules
	$(Q)cp $(KMODOUT)/kmod/asymbpf.ko $(KMODOUT)/asymbpf.ko

# sparse, checkpatch.pl
lint-kmod:
	$(Q)scripts/lint-kmod

install-kmod:
	install -d $(DESTDIR)/usr/src/asymbpf-$(VERSION)
	cp --parents $(KMODSRC) $(DESTDIR)/usr/src/asymbpf-$(VERSION)
	sed 's|@VERSION@|$(VERSION)|' kmod/dkms.conf >$(DESTDIR)/usr/src/asymbpf-$(VERSION)/dkms.conf
	@[ -n "$(DESTDIR)" ] || echo "make: next is: dkms install asymbpf/$(VERSION)"

install: all
	install -D -m 0755 $(BUILD)/asymbpf $(DESTDIR)$(PREFIX)/sbin/asymbpf
	install -d $(DESTDIR)$(UNITDIR)
	for u in asymbpf asymbpf-mesh; do \
		sed 's|@SBINDIR@|$(PREFIX)/sbin|' packaging/$$u.service >$(DESTDIR)$(UNITDIR)/$$u.service && \
		chmod 0644 $(DESTDIR)$(UNITDIR)/$$u.service || exit 1; done
	install -D -m 0644 doc/asymbpf.8 $(DESTDIR)$(PREFIX)/share/man/man8/asymbpf.8
	install -D -m 0644 doc/asymbpf.conf.5 $(DESTDIR)$(PREFIX)/share/man/man5/asymbpf.conf.5
	install -D -m 0644 doc/asymbpf-mesh.5 $(DESTDIR)$(PREFIX)/share/man/man5/asymbpf-mesh.5
	install -D -m 0644 doc/asymbpf-kmod.7 $(DESTDIR)$(PREFIX)/share/man/man7/asymbpf-kmod.7

clean:
	rm -rf build build-san

-include $(OBJ:.o=.d)
