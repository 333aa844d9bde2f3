#!/usr/bin/env bash
# Builds everything and runs all tests. Arguments go to `dotnet test`: ./test.sh --filter FullyQualifiedName~Sampling
set -euo pipefail
root=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
source "$root/scripts/setup.sh"

prepare() {
    install_missing node npm mpirun
    if [[ -x $root/models/sprites.sh ]]; then
        logged sprites "$root/models/sprites.sh" || fail "models/sprites.sh failed."
    fi
    is_current all && return
    say "building ..."
    build all Sora.sln
}

find_dotnet
choose_engine
locked prepare

# The summary below is read from dotnet's output, so it has to be in English.
export DOTNET_CLI_UI_LANGUAGE=en
status=0
# shellcheck disable=SC2046
dotnet test "$root/Sora.sln" -c Release --no-build $(engine_properties) "$@" 2>&1 | tee "$state/test.log" || status=$?

read -r passed failed skipped < <(
    sed -nE 's/.*Failed: *([0-9]+), Passed: *([0-9]+), Skipped: *([0-9]+), Total:.*/\2 \1 \3/p' "$state/test.log" |
        awk '{ passed += $1; failed += $2; skipped += $3 } END { print passed + 0, failed + 0, skipped + 0 }')
if ((status == 0 && (failed > 0 || passed == 0))); then
    status=1
fi
echo
echo "$passed passed, $failed failed$( ((skipped == 0)) || echo ", $skipped skipped")"
exit "$status"
