#!/usr/bin/env bash
# Fetches the sprites of the pocket model's training world and prints their folder: models/sprites.sh [folder]
#
# They are the Noto Emoji drawings by Google, licensed under the Apache License 2.0
# (https://github.com/googlefonts/noto-emoji), as 64 pixel PNG files of the npm package emoji-datasource-google
# (MIT, https://github.com/iamcal/emoji-data). Needs npm. The default folder is ${SORA_CACHE:-~/.cache/sora}/sprites.
set -euo pipefail

version=16.0.0
folder=${1:-${SORA_CACHE:-$HOME/.cache/sora}/sprites}
done_mark="$folder/emoji-datasource-google-$version.done"

if [ ! -f "$done_mark" ]; then
  command -v npm > /dev/null || { echo "models/sprites.sh needs npm, to fetch emoji-datasource-google@$version." >&2; exit 1; }
  mkdir -p "$folder"
  download=$(mktemp -d "$folder/download.XXXXXX")
  trap 'rm -rf "$download"' EXIT
  (cd "$download" && npm pack --silent "emoji-datasource-google@$version" > /dev/null)
  tar -xzf "$download/emoji-datasource-google-$version.tgz" -C "$download" package/img/google/64 package/LICENSE
  mv -f "$download"/package/img/google/64/*.png "$folder/"
  cat > "$folder/LICENSE.txt" <<'LICENSE'
The PNG files are Noto Emoji, Copyright Google LLC, licensed under the Apache License, Version 2.0:
https://www.apache.org/licenses/LICENSE-2.0
LICENSE
  touch "$done_mark"
fi
printf '%s\n' "$folder"
