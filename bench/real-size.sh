#!/usr/bin/env bash
# Whether published models run at their real size within a limit of memory: writes each with random weights, generates
# 256x256, 9 frames, 2 steps in bf16, and prints seconds and the peak of resident memory beside the target. What it writes
# is removed at the end, also when it is interrupted. Needs 20 GB of disk, and Linux for VmHWM.
#   bench/real-size.sh                        all of them, one after the other
#   bench/real-size.sh wan2.1-t2v-1.3b        one of them
#   bench/real-size.sh pocket                 a tiny stand-in, which tells whether the script works
# SORA names another command line than ./sora, SORA_BENCH_DIR the folder for the weights (by default under $TMPDIR).
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
sora=${SORA:-$root/sora}

# The limit in GB of peak resident memory.
declare -A limits=([wan2.1-t2v-1.3b]=14 [wan2.2-ti2v-5b]=16 [pocket]=2)
models=("$@")
((${#models[@]})) || models=(wan2.1-t2v-1.3b wan2.2-ti2v-5b)
for model in "${models[@]}"; do
    [[ -n ${limits[$model]:-} ]] || { echo "real-size: $model is not one of: ${!limits[*]}" >&2; exit 2; }
done

folder=$(mktemp -d "${SORA_BENCH_DIR:-${TMPDIR:-/tmp}}/sora-real-size.XXXXXX")
running=
clean_up() {
    trap - EXIT INT TERM HUP
    [[ -z $running ]] || { kill "$running" 2>/dev/null || true; wait "$running" 2>/dev/null || true; }
    rm -rf "$folder"
}
trap clean_up EXIT
trap 'clean_up; exit 130' INT TERM HUP

# In the background and waited for: an interruption is not kept waiting until the command ends.
start() {
    "$@" &
    running=$!
}
finish() {
    local status=0
    wait "$running" || status=$?
    running=
    return "$status"
}

seconds() { date +%s.%N; }
over=0
"$sora" --version >/dev/null # builds what the command line needs, outside of what is measured
printf '%-18s %10s %12s %12s %10s %8s\n' model write_s total_s denoising peak_GB limit
for model in "${models[@]}"; do
    began=$(seconds)
    start "$sora" init "$model" --out "$folder/model" >"$folder/init.log"
    finish
    written=$(seconds)
    start "$sora" generate "a red fish swims left" --model "$folder/model" --size 256x256 --frames 9 --steps 2 --precision bf16 --seed 1 \
        --output "$folder/frames" >"$folder/summary" 2>"$folder/errors"
    # VmHWM is the process's own record of its greatest resident memory; the last reading is at most a moment old.
    peak=0
    while read -r now < <(awk '/^VmHWM:/ { print $2 }' "/proc/$running/status" 2>/dev/null) && [[ -n $now ]]; do
        peak=$now
        sleep 0.2
    done
    finish || { cat "$folder/errors" >&2; exit 1; }
    ended=$(seconds)
    denoising=$(sed -n 's/.*denoising \([^,]*\).*/\1/p' "$folder/summary")
    awk -v m="$model" -v b="$began" -v w="$written" -v e="$ended" -v d="$denoising" -v p="$peak" -v l="${limits[$model]}" 'BEGIN {
        gb = p * 1024 / 1e9
        printf "%-18s %10.1f %12.1f %12s %10.2f %8s\n", m, w - b, e - w, d, gb, l
        exit gb > l }' || over=1
    # The loading of each part is told with its stage.
    tail -n 1 "$folder/summary"
    rm -rf "${folder:?}"/*
done
((over == 0)) || { echo "real-size: a limit was exceeded." >&2; exit 1; }
