# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# For tests of the kernel module beside the loader, which run themselves in machines of scripts/vm, one for
# each kernel, and tell all of it as one TAP stream.  Sourced.
#
#	if [ "${1-}" != --inside ]; then
#		. "$(dirname "$0")/kernels.sh"
#		prepare() { variant "$1" other kmod/uapi/nft_asym.h 's/x/y/'; }	# or nothing
#		on_kernels "$@"
#		exit
#	fi
#
# In the machine the script is called with --inside KERNEL; the module is build/kmod-KERNEL/asymbpf.ko.

# Another module: build/kmod-KERNEL-NAME/asymbpf.ko, with a source changed by sed.
variant() { # KERNEL NAME FILE SED
	local out=build/kmod-$1-$2
	mkdir -p "$out/${3%/*}"
	sed "$4" "$3" >"$out/$3"
	touch -d '+1 hour' "$out/$3" # make kmod copies only what is newer
	make -s kmod KDIR="$(scripts/kmod --headers "$1")" KMODOUT="$out"
}

# The kernel's modules with ours installed among them: build/kmod-KERNEL/tree.
tree() { # KERNEL
	local headers modules release to
	headers=$(scripts/kmod --headers "$1")
	release=${headers##*linux-headers-}
	modules=${headers%/headers/*}/lib/modules/$release
	to=build/kmod-$1/tree/lib/modules/$release
	[ "build/kmod-$1/asymbpf.ko" -nt "$to/modules.dep" ] || return 0
	mkdir -p "$to/updates"
	ln -sfn "$modules/kernel" "$to/kernel"
	cp "$modules"/modules.{builtin,builtin.modinfo,order} "$to"
	cp "build/kmod-$1/asymbpf.ko" "$to/updates"
	depmod -b "build/kmod-$1/tree" "$release"
}

prepare() { :; }
on_kernels() { # [KERNEL...]
	local kernel script
	script=$(realpath "$0")
	cd "$(dirname "$script")/../.." || exit 1
	for kernel in ${*:-6.1 6.12}; do
		scripts/kmod "$kernel" >&2 || { echo "1..0 # SKIP no module for $kernel"; exit 0; }
		prepare "$kernel" >&2 || exit 1
		echo "# Linux $kernel"
		ASYM_TEST_SLOW=4 scripts/vm --kernel "$kernel" --timeout 900 -- \
			"${script#"$PWD/"}" --inside "$kernel" 2>&1
		echo "# ends $?"
	done | awk '
		/^# Linux / { kernel = $3; planned = 0; seen = 0 }
		/^1\.\./ { planned = substr($1, 4); next }
		/^(not )?ok / { seen++; good = $1 == "ok"; sub(/^(not )?ok [0-9]+ - /, "")
			print (good ? "ok " : "not ok ") ++n " - " kernel ": " $0; next }
		/^# ends / { print ($3 == 0 && planned == seen && seen ? "ok " : "not ok ") ++n " - " kernel \
			": ends with " $3 " after " seen " of " planned; next }
		{ print }
		END { print "1.." n }'
}
