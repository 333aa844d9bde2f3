#!/usr/bin/env bash
# Whether published models run at their real size within a limit of memory: writes each with random weights, generates
# 256x256, 9 frames, 2 steps in bf16, and prints the seconds of loading and of a step and the peak of resident memory beside
# the limit. What it writes is removed at the end, also when it is interrupted. Needs 21 GB of disk, and Linux for VmHWM.
#   bench/real-size.sh                        all of them, one after the other
#   bench/real-size.sh wan2.1-t2v-14b         one of them: 1.3B and 5B in bf16, 14B in Q4_K, layer by layer
#   bench/real-size.sh pocket pocket-q4_k     tiny stand-ins for both ways, which tell whether the script works
# SORA names another command line than ./sora, SORA_BENCH_DIR the folder for the weights (by default under $TMPDIR).
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
sora=${SORA:-$root/sora}

# The limit in GB of peak resident memory.
declare -A limits=([wan2.1-t2v-1.3b]=14 [wan2.2-ti2v-5b]=16 [wan2.1-t2v-14b]=12 [pocket]=2 [pocket-q4_k]=2)
# How the weights are written and run where that is not the default. A memory limit makes what would take more than 70 % of it
# run layer by layer, here the transformer (29 GB in bf16) and the text encoder (11 GB); the stand-in is too small for that.
declare -A init_options=([wan2.1-t2v-14b]="--quantization q4_k" [pocket-q4_k]="--quantization q4_k")
declare -A run_options=([wan2.1-t2v-14b]="--memory-limit 12" [pocket-q4_k]="--memory-limit 2 --layer-streaming on")
models=("$@")
((${#models[@]})) || models=(wan2.1-t2v-1.3b wan2.2-ti2v-5b wan2.1-t2v-14b)
for model in "${models[@]}"; do
    [[ -n ${limits[$model]:-} ]] || { echo "real-size: $model is not one of: ${!limits[*]}" >&2; exit 2; }
done

steps=2
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
now() { date +%s.%N; }

# The seconds of a stage in the last line of the summary, "66 s: loading model 1 min 05 s, encoding text 0.2 s, ...".
stage_seconds() {
    awk -v stage="$1" 'END {
        sub(/^[^:]*: /, "")
        count = split($0, parts, ", ")
        for (i = 1; i <= count; i++) {
            if (index(parts[i], stage " ") != 1) continue
            fields = split(substr(parts[i], length(stage) + 2), field, " ")
            for (j = 1; j < fields; j += 2)
                seconds += field[j] * (field[j + 1] == "h" ? 3600 : field[j + 1] == "min" ? 60 : 1)
        }
        printf "%.2f", seconds
    }' "$folder/summary"
}

over=0
"$sora" --version >/dev/null # builds what the command line needs, outside of what is measured
printf '%-18s %8s %8s %8s %9s %8s %8s %6s\n' model write_s load_s text_s step_s total_s peak_GB limit
for model in "${models[@]}"; do
    began=$(now)
    # The options are words to be split.
    # shellcheck disable=SC2086
    start "$sora" init "${model%-q4_k}" --out "$folder/model" ${init_options[$model]:-} >"$folder/init.log"
    finish
    written=$(now)
    # shellcheck disable=SC2086
    start "$sora" generate "a red fish swims left" --model "$folder/model" --size 256x256 --frames 9 --steps "$steps" --precision bf16 --seed 1 \
        ${run_options[$model]:-} --output "$folder/frames" >"$folder/summary" 2>"$folder/errors"
    # VmHWM is the process's own record of its greatest resident memory, files that it has mapped included; the last reading is
    # at most a moment old.
    peak=0
    while read -r kilobytes < <(awk '/^VmHWM:/ { print $2 }' "/proc/$running/status" 2>/dev/null) && [[ -n $kilobytes ]]; do
        peak=$kilobytes
        sleep 0.2
    done
    finish || { cat "$folder/errors" >&2; exit 1; }
    ended=$(now)
    awk -v model="$model" -v began="$began" -v written="$written" -v ended="$ended" -v load="$(stage_seconds 'loading model')" \
        -v text="$(stage_seconds 'encoding text')" -v denoising="$(stage_seconds denoising)" -v steps="$steps" -v peak="$peak" -v limit="${limits[$model]}" 'BEGIN {
        gb = peak * 1024 / 1e9
        printf "%-18s %8.1f %8.1f %8.1f %9.2f %8.1f %8.2f %6s\n", model, written - began, load, text, denoising / steps, ended - written, gb, limit
        exit gb > limit }' || over=1
    rm -rf "${folder:?}"/*
done
((over == 0)) || { echo "real-size: a limit was exceeded." >&2; exit 1; }
