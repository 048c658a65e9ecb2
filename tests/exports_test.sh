#!/usr/bin/env bash
# A plugin exports one symbol, the one the loader looks for.
# usage: exports_test.sh PLUGIN.so...
set -euo pipefail

for plugin in "$@"; do
    exported=$(nm --dynamic --defined-only --format=just-symbols "$plugin")
    if [ "$exported" != backplane_plugin ]; then
        printf '%s must export backplane_plugin alone, but exports:\n%s\n' "$plugin" "$exported"
        exit 1
    fi
done
