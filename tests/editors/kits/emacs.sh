#!/usr/bin/env bash
# emacs.sh FOLDER: Emacs 30 with eglot and lsp-mode 10 in a folder of its own; FOLDER/bin/emacs runs it.
set -euo pipefail
folder=$(realpath -m "$1")
[ -x "$folder/bin/emacs" ] && exit 0
"$(dirname "$0")/debian.sh" "$folder" forky usr/bin/emacs-nox emacs-nox elpa-lsp-mode
root=$folder/root
share=$(find "$root/usr/share/emacs" -maxdepth 1 -name '[0-9]*')
exec=$(find "$root/usr/libexec/emacs" -mindepth 2 -maxdepth 2 -type d)
packages=$(find "$root/usr/share/emacs/site-lisp/elpa-src" -mindepth 1 -maxdepth 1 -printf '%p:')
cat > "$folder/bin/emacs" <<RUN
#!/bin/sh
export EMACSLOADPATH=$share/lisp:${packages%:} EMACSDATA=$share/etc EMACSDOC=$share/etc EMACSPATH=$exec
exec $root/usr/bin/emacs-nox --dump-file=$(find "$exec" -name '*.pdmp') "\$@"
RUN
chmod +x "$folder/bin/emacs"
"$folder/bin/emacs" --version | head -n 1
