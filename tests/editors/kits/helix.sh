#!/usr/bin/env bash
# helix.sh FOLDER: Helix in a folder of its own; FOLDER/bin/hx runs it.
set -euo pipefail
folder=$(realpath -m "$1")
[ -x "$folder/bin/hx" ] && exit 0
"$(dirname "$0")/debian.sh" "$folder" forky usr/lib/hx/hx hx
printf '#!/bin/sh\nHELIX_RUNTIME=%s exec %s "$@"\n' "$folder/root/usr/lib/hx/runtime" "$folder/root/usr/lib/hx/hx" > "$folder/bin/hx"
chmod +x "$folder/bin/hx"
"$folder/bin/hx" --version | head -n 1
