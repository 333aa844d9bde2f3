#!/usr/bin/env bash
# Builds Sora.Core and the command line against a TorchSharp.dll, without running it, in a temporary folder:
# scripts/check-torchsharp.sh PATH/TorchSharp.dll
set -euo pipefail
root=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
[[ $# == 1 && -f $1 ]] || { echo "usage: ${0##*/} PATH/TorchSharp.dll" >&2; exit 2; }
output=$(mktemp -d)
trap 'rm -rf "$output"' EXIT
dotnet build "$root/samples/Sora.Cli" -p:Torch=TorchSharp -p:TorchSharpAssembly="$(readlink -f "$1")" -p:UseArtifactsOutput=true -p:ArtifactsPath="$output"
