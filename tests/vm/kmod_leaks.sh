#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The last one under a kernel with kmemleak: what the tests before it have left that nothing points to.
. "$(dirname "$0")/../netns/lib.sh"
leaks=/sys/kernel/debug/kmemleak
[ -e $leaks ] || skip_all 'this kernel has no kmemleak'
# A pointer may lie in a register or on a stack for a while: only what two scans tell is lost.
scan() { echo scan >$leaks; }
ok 'the first scan' scan
sleep 10
ok 'the second scan' scan
is 'nothing leaks' "$(cat $leaks)" ''
ok 'the module goes' wait_for rmmod asymbpf
ok 'a scan without it' scan
is 'it has left nothing' "$(cat $leaks)" ''
done_testing
