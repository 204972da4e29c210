;;; lsp-mode.el --- shows a suggestion as ghost text and accepts it  -*- lexical-binding: t -*-
;; emacs --batch -Q -l waiting.el -l CONFIGURATION -l lsp-mode.el FILE

;;; Code:
(require 'lsp-mode)
(require 'lsp-inline-completion)

(defun tried-ghost ()
  "Ask at point as `lsp-inline-completion-mode' does when nothing is typed; the text, if there is one."
  (lsp-inline-completion-display)
  (and (overlayp lsp-inline-completion--overlay)
       (overlay-buffer lsp-inline-completion--overlay)
       (lsp-inline-completion--active-p)))

(let ((file (expand-file-name (pop command-line-args-left))))
  (lsp-workspace-folders-add (file-name-directory file))
  (find-file file))
(setq lsp-lens-enable nil          ; not loaded here
      lsp-enable-snippet nil)      ; would need another package
(lsp)
(tried-wait 60 "the server" (lambda () (lsp-feature? "textDocument/inlineCompletion")))
(goto-char (point-max))
(skip-chars-backward "\n")
(insert " / ")
(tried-wait 120 "ghost text" #'tried-ghost)
(lsp-inline-completion-accept)
(save-buffer)
(message "tried: emacs %s, lsp-mode %s" emacs-version (lsp-package-version))

(kill-emacs 0)
