#!/usr/bin/env bash
# Runs the benchmarks, prints their table and writes bench/results.json and bench/growth.svg. Takes about half an hour on an idle machine.
#   bench/run.sh                    all of them
#   bench/run.sh --only decoder     one of them; writes no file, unless --output names one, in which it renews its rows
#   bench/run.sh --quick            whether each runs, at tiny sizes; writes no file
#   bench/run.sh --device cuda      those of the networks, on the GPU; writes bench/results-cuda.json
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$root/scripts/setup.sh"
bench="$root/bench/Sora.Bench/bin/Release/net10.0/Sora.Bench.dll"

prepare() {
    if [[ ! -e $bench ]] || ! is_current bench; then
        say "building the benchmarks ..."
        build bench bench/Sora.Bench/Sora.Bench.csproj
    fi
    build_bare_loop
}

# The loop in C++ with which the engine's calls are compared; it needs the libtorch that Torch=System compiles against.
build_bare_loop() {
    local source="$root/bench/native/bare_add.cpp" paths=()
    export SORA_BARE_ADD="$state/bare_add"
    [[ $engine == system ]] || { rm -f "$SORA_BARE_ADD"; return; }
    [[ ! $SORA_BARE_ADD -nt $source ]] || return 0
    [[ -z ${LIBTORCH:-} ]] || paths=(-I"$LIBTORCH/include" -L"$LIBTORCH/lib" -Wl,-rpath,"$LIBTORCH/lib")
    logged bare_add g++ -std=c++17 -O2 ${paths[@]+"${paths[@]}"} "$source" -ltorch_cpu -lc10 -o "$SORA_BARE_ADD" ||
        fail "compiling $source failed."
}

"$root/sora" --version >/dev/null # installs and builds what the command line needs
find_dotnet
choose_engine
locked prepare

output=()
(($# > 0)) || output=(--output "$root/bench/results.json")
[[ $# != 2 || $1 != --device ]] || output=(--output "$root/bench/results-${2%%:*}.json")
exec dotnet "$bench" ${output[@]+"${output[@]}"} "$@"
