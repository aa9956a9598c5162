#!/usr/bin/env bash
# Which Debian packages do the service's tests need? Installs what is missing when permitted, else says so in one line.
#   tests/service/require.sh PROGRAM=PACKAGE...
set -euo pipefail
missing=()
for pair in "$@"; do
  PATH=$PATH:/usr/sbin command -v "${pair%%=*}" >/dev/null || missing+=("${pair#*=}")
done
((${#missing[@]})) || exit 0
run=()
[[ $(id -u) == 0 ]] || run=(sudo -n) # a hosted runner's user may, without a password
if ! command -v apt-get >/dev/null || ! "${run[@]}" true 2>/dev/null; then
  echo "these tests need: apt-get install --no-install-recommends ${missing[*]}" >&2
  exit 1
fi
echo "==> installing ${missing[*]}"
# The packages' own services are not wanted: the tests start private ones on loopback.
policy=/usr/sbin/policy-rc.d
if [[ ! -e $policy ]]; then
  printf '#!/bin/sh\nexit 101\n' | "${run[@]}" tee $policy >/dev/null && "${run[@]}" chmod +x $policy
  trap '"${run[@]}" rm -f $policy' EXIT
fi
"${run[@]}" apt-get -qq update
"${run[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null
