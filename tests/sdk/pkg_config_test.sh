#!/usr/bin/env bash
# The one-line build in examples/counter-c/README.md works: usage EXAMPLES=... pkg_config_test.sh PREFIX
set -euo pipefail

if ! command -v pkg-config > /dev/null; then
    echo 'pkg-config is not installed'
    exit 77
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export PKG_CONFIG_PATH=$1/lib/pkgconfig
# shellcheck disable=SC2046 # the flags are words
gcc -shared -fPIC -o "$folder/libcounter-c.so" "$EXAMPLES/counter-c/counter.c" $(pkg-config --cflags --libs backplane-sdk)
"$(dirname "$0")/../exports_test.sh" "$folder/libcounter-c.so"
