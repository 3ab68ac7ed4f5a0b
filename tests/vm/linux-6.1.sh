#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The tests under Debian's Linux 6.1.
exec "$(dirname "$0")/linux" 6.1
