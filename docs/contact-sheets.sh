#!/usr/bin/env bash
# Draws the contact sheets of docs/capabilities.md from fixed prompts and seeds: a line for each video, its frames from left to
# right. Takes some minutes.
#   docs/contact-sheets.sh                 all of them
#   docs/contact-sheets.sh loop long       some of them
# SORA_SHEETS names another folder than docs/images, SORA_MODEL another model.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
output=$(mkdir -p "${SORA_SHEETS:-$here/images}" && cd "${SORA_SHEETS:-$here/images}" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
[[ -z ${SORA_MODEL:-} ]] || SORA_MODEL=$(readlink -f "$SORA_MODEL")
cd "$work"

sora() { "$here/../sora" "$@" ${SORA_MODEL:+--model "$SORA_MODEL"} --quiet; }
fish="a red fish swims left in the deep sea"
car="a green car drives to the right in the desert"

# row FILE [EVERY]: a line of every so many frames of a video, or of a picture.
lines=0
row() {
    lines=$((lines + 1))
    local frames
    frames=$(ffprobe -v error -count_frames -show_entries stream=nb_read_frames -of default=nk=1:nw=1 "$1" | head -1)
    local shown=$(((frames + ${2:-4} - 1) / ${2:-4}))
    ffmpeg -v error -y -i "$1" -vf "select='not(mod(n,${2:-4}))',scale=iw*2:ih*2:flags=lanczos,tile=${shown}x1:padding=2:color=white" \
        -frames:v 1 "$work/line-$(printf %02d "$lines").png"
}

# sheet NAME: the lines so far below each other, each filled up with white.
sheet() {
    local width=0 own inputs=() pads="" names="" i
    for ((i = 1; i <= lines; i++)); do
        own=$(ffprobe -v error -show_entries stream=width -of default=nk=1:nw=1 "$work/line-$(printf %02d "$i").png")
        ((own <= width)) || width=$own
    done
    for ((i = 1; i <= lines; i++)); do
        inputs+=(-i "$work/line-$(printf %02d "$i").png")
        pads+="[$((i - 1))]pad=$width:ih+6:0:3:white[p$i];"
        names+="[p$i]"
    done
    if ((lines == 1)); then
        ffmpeg -v error -y "${inputs[@]}" -vf "pad=$width:ih+6:0:3:white" -frames:v 1 "$output/capability-$1.png"
    else
        ffmpeg -v error -y "${inputs[@]}" -filter_complex "$pads${names}vstack=inputs=$lines" -frames:v 1 "$output/capability-$1.png"
    fi
    rm -f "$work"/line-*.png
    lines=0
    echo "$output/capability-$1.png"
}

# given FILE PROMPT SEED [OPTION ...]: makes a video or picture to work on, once.
given() {
    local file=$1 prompt=$2 seed=$3
    shift 3
    [[ -e $file ]] || sora generate "$prompt" --seed "$seed" "$@" -o "$file"
}

sizes() {
    sora generate "$fish" --seed 1 -o square.mp4
    row square.mp4
    sora generate "$fish" --seed 1 --size 96x48 -o wide.mp4
    row wide.mp4
    sora generate "$fish" --seed 1 --size 48x96 -o tall.mp4
    row tall.mp4
    sora generate "$fish" --seed 1 --frames 33 -o long.mp4
    row long.mp4
}
picture() {
    sora generate "$car" --seed 2 --frames 1 -o small.png
    row small.png
    sora generate "$car" --seed 2 --frames 1 --size 128x128 -o large.png
    row large.png
}
animate() {
    given fish.png "$fish" 3 --frames 1
    row fish.png
    sora animate fish.png "$fish" --seed 1 -o left.mp4
    row left.mp4
    sora animate fish.png "a red fish swims right in the deep sea" --seed 1 -o right.mp4
    row right.mp4
}
between() {
    given fish.png "$fish" 3 --frames 1
    given end.png "$fish" 4 --frames 1
    sora generate "$fish" --first fish.png --last end.png --seed 1 -o between.mp4
    row between.mp4
    sora generate "$fish" --known fish.png@0 --known end.png@8 --seed 1 -o known.mp4
    row known.mp4
}
extend() {
    given fish.mp4 "$fish" 1
    row fish.mp4
    sora extend fish.mp4 "$fish" --seconds 1 --direction forward --seed 1 -o forward.mp4
    row forward.mp4
    sora extend fish.mp4 "$fish" --seconds 1 --direction backward --seed 1 -o backward.mp4
    row backward.mp4
    sora extend fish.mp4 "$fish" --seconds 1 --direction both --seed 1 -o both.mp4
    row both.mp4
}
loop() {
    given fish.mp4 "$fish" 1
    sora loop "a blue ball bounces on the meadow" --seed 1 -o ball.mp4
    row ball.mp4 2
    sora loop fish.mp4 "$fish" --seed 1 -o closed.mp4
    row closed.mp4
}
connect() {
    given fish.mp4 "$fish" 1
    given car.mp4 "$car" 2
    sora connect fish.mp4 car.mp4 "the deep sea becomes a desert" --frames 16 --seed 1 -o both.mp4
    row both.mp4
}
edit() {
    given fish.mp4 "$fish" 1
    row fish.mp4
    for strength in 0.3 0.6 0.8 1; do
        sora edit fish.mp4 "a green fish swims left in the deep sea" --strength "$strength" --seed 1 -o "edit-$strength.mp4"
        row "edit-$strength.mp4"
    done
}
region() {
    given fish.mp4 "$fish" 1
    ffmpeg -v error -f lavfi -i "color=black:s=64x64,drawbox=x=0:y=0:w=32:h=64:color=white:t=fill" -frames:v 1 mask.png
    sora edit fish.mp4 "a yellow crab in the deep sea" --mask mask.png --seed 1 -o region.mp4
    row region.mp4
    sora outpaint fish.mp4 "$fish" --size 112x64 --seed 1 -o wide.mp4
    row wide.mp4
}
variations() {
    sora generate "$fish" --seed 7 --count 2 -o v.mp4
    row v-1.mp4
    row v-2.mp4
    sora generate "$fish" --seed 7 --vary 1 --vary-strength 0.2 -o near.mp4
    row near.mp4
}
draft() {
    sora generate "$fish" --size 96x96 --seed 1 -o plain.mp4
    row plain.mp4
    sora generate "$fish" --size 96x96 --seed 1 --draft 0.5 -o drafted.mp4
    row drafted.mp4
}
storyboard() {
    cat > board.json <<'JSON'
{
  "size": "64x64", "seed": 3,
  "segments": [
    {"from": 0, "to": 3, "prompt": "A red fish swims left in the deep sea"},
    {"from": 3, "to": 6, "prompt": "A blue fish swims right in the deep sea"},
    {"from": 6, "to": 9, "prompt": "A red dog walks right on the meadow", "cut": true}
  ]
}
JSON
    sora storyboard board.json -o film.mp4
    row film.mp4 6
}
long() {
    sora generate "$fish" --seconds 20 --seed 3 -o long.mp4
    row long.mp4 16
}
guidance() {
    for scale in 1 2 3 5; do
        sora generate "$car" --guidance "$scale" --seed 5 -o "guidance-$scale.mp4"
        row "guidance-$scale.mp4"
    done
}
samplers() {
    for sampler in euler heun unipc dpmpp-2m lcm; do
        sora generate "$car" --sampler "$sampler" --steps 12 --seed 5 -o "$sampler.mp4"
        row "$sampler.mp4"
    done
}
enhance() {
    sora generate "a dog" --seed 4 -o plain.mp4
    row plain.mp4
    sora generate "a dog" --enhance --seed 4 -o enhanced.mp4
    row enhanced.mp4
}

all=(sizes picture animate between extend loop connect edit region variations draft storyboard long guidance samplers enhance)
names=("$@")
((${#names[@]})) || names=("${all[@]}")
for name in "${names[@]}"; do
    [[ " ${all[*]} " == *" $name "* ]] || { echo "contact-sheets: $name is not one of: ${all[*]}" >&2; exit 2; }
done
for name in "${names[@]}"; do
    "$name"
    sheet "$name"
done
