#!/usr/bin/env bash
# neovim.sh FOLDER [SUITE]: a Neovim of a Debian suite in a folder of its own; FOLDER/bin/nvim runs it.
set -euo pipefail
folder=$(realpath -m "$1"); suite=${2:-forky}
[ -x "$folder/bin/nvim" ] && exit 0
"$(dirname "$0")/debian.sh" "$folder" "$suite" usr/bin/nvim neovim
printf '#!/bin/sh\nVIMRUNTIME=%s exec %s "$@"\n' "$folder/root/usr/share/nvim/runtime" "$folder/root/usr/bin/nvim" > "$folder/bin/nvim"
chmod +x "$folder/bin/nvim"
"$folder/bin/nvim" --version | head -n 1
