#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The kernel module's tests under a kernel that watches itself (make check-kasan).
exec "$(dirname "$0")/linux" kasan
