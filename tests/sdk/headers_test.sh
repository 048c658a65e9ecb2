#!/usr/bin/env bash
# Every public header of an installed prefix compiles alone and twice: usage headers_test.sh PREFIX.
# The ABI in C11 and C17, everything in C++23, each with gcc and clang, without a warning.
set -uo pipefail

include=$1/include
warnings=(-Wall -Wextra -Werror -fsyntax-only -I "$include")
failed=0

compile() { # COMPILER LANGUAGE HEADER FLAG...
    local compiler=$1 language=$2 header=$3
    shift 3
    if ! printf '#include <%s>\n#include <%s>\n' "$header" "$header" |
        "$compiler" -x "$language" "${warnings[@]}" "$@" - ; then
        echo "$header does not compile alone: $compiler $*"
        failed=1
    fi
}

clang_c=$(command -v clang-19 || command -v clang)
clang_cxx=$(command -v clang++-19 || command -v clang++)
cd "$include" || exit 1
mapfile -t all < <(find backplane -name '*.h' | sort)
mapfile -t abi < <(find backplane/abi backplane/abi.h -name '*.h' | sort)
if [ ${#abi[@]} -lt 5 ] || [ ${#all[@]} -le ${#abi[@]} ]; then
    echo "$include has hardly any headers: ${all[*]}"
    exit 1
fi

for header in "${abi[@]}"; do
    for compiler in gcc "$clang_c"; do
        for standard in c11 c17; do compile "$compiler" c "$header" "-std=$standard" -Wpedantic; done
    done
done
for header in "${all[@]}"; do
    for compiler in g++ "$clang_cxx"; do compile "$compiler" c++ "$header" -std=c++23; done
done
exit $failed
