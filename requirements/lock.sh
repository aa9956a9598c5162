#!/usr/bin/env bash
# How are the locks renewed? `make lock`: one resolution over all four sets, so that they install side by side,
# then one hashed file per set. No index lines and no URLs, so a lock works with any mirror.
set -euo pipefail
cd "$(dirname "$0")"
uv=${UV:-../.venv/bin/uv}
flags=(--quiet --universal --python-version 3.11 --no-header --no-annotate --no-emit-index-url)
together=$(mktemp)
trap 'rm -f "$together"' EXIT
cat platform.in service.in live.in dev.in | "$uv" pip compile "${flags[@]}" - -o "$together" "$@"
for set in platform service live dev; do
  "$uv" pip compile "${flags[@]}" --generate-hashes --constraint "$together" "$set.in" -o "$set.txt"
done
for alone in uv go moviepy checkov; do
  "$uv" pip compile "${flags[@]}" --generate-hashes "$alone.in" -o "$alone.txt"
done
