#!/usr/bin/env bash
# system.sh: what the editors' tests need of Debian itself. Does nothing where it is there already.
set -euo pipefail
packages=()
need() { command -v "$1" > /dev/null || packages+=("${@:2}"); }
need chromium chromium
need tmux tmux
need npm nodejs npm
[ ${#packages[@]} -eq 0 ] && exit 0
[ "$(id -u)" -eq 0 ] || { echo "please install: ${packages[*]}" >&2; exit 1; }
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -yqq --no-install-recommends "${packages[@]}" > /dev/null
