#!/usr/bin/env bash
# Draws the README's picture: fixed prompts with fixed seeds, five frames of each video in a row, two videos a line.
# Usage: models/contact-sheet.sh [OUTPUT.png] [MODEL]
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
output="${1:-$here/../docs/images/pocket.png}"
model="${2:-$here/pocket}"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

prompts=(
  "a red fish swims left in the deep sea"
  "a green car drives to the right in the desert"
  "a blue butterfly flies up on the meadow"
  "a rocket rises in starry space"
  "a whale swims right in the deep sea"
  "a blue ball bounces on the meadow"
  "a dog runs to the left on the meadow"
  "a penguin rests on the snowy mountains at night"
  "a green rocket falls in the desert"
  "a blue balloon rises in the blue sky at sunset"
)
n=0
for prompt in "${prompts[@]}"; do
  n=$((n + 1))
  "$here/../sora" generate "$prompt" --seed "$n" --model "$model" --quiet -o "$work/$n.mp4"
  ffmpeg -v error -y -i "$work/$n.mp4" -vf "select='not(mod(n,4))',scale=iw*2:ih*2:flags=lanczos,tile=5x1:padding=2" \
    -frames:v 1 "$work/$(printf %02d "$n").png"
done
mkdir -p "$(dirname "$output")"
ffmpeg -v error -y -i "$work/%02d.png" -vf "tile=2x$(((n + 1) / 2)):padding=8:color=white" -frames:v 1 "$output"
echo "$output"
