#!/usr/bin/env bash
# Include paths keep the parts apart; a relative include would go round them.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
if grep -rnE '#\s*include\s*"[^"]*\.\./' --include='*.h' --include='*.cpp' --include='*.c' core plugins tests; then
    echo 'Include by name, through the include path of the target, never through "..".'
    exit 1
fi
