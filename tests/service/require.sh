#!/usr/bin/env bash
# Which Debian packages do the service's tests need? Installs what is missing when permitted, else says so in one line.
#   tests/service/require.sh PROGRAM=PACKAGE...
set -euo pipefail
missing=()
for pair in "$@"; do
  PATH=$PATH:/usr/sbin command -v "${pair%%=*}" >/dev/null || missing+=("${pair#*=}")
done
((${#missing[@]})) || exit 0
if [[ $(id -u) != 0 ]] || ! command -v apt-get >/dev/null; then
  echo "these tests need: apt-get install --no-install-recommends ${missing[*]}" >&2
  exit 1
fi
echo "==> installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
# The packages' own services are not wanted: the tests start private ones on loopback.
policy=/usr/sbin/policy-rc.d
if [[ ! -e $policy ]]; then
  printf '#!/bin/sh\nexit 101\n' >$policy && chmod +x $policy
  trap 'rm -f $policy' EXIT
fi
apt-get -qq update
apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null
