;;; eglot.el --- types into a file and completes, as a person would  -*- lexical-binding: t -*-
;; emacs --batch -Q -l waiting.el -l CONFIGURATION -l eglot.el FILE

;;; Code:
(require 'eglot)

(defun tried-complete ()
  "Complete at point; whether that changed the text. While the model loads eglot gives up after 10 s."
  (let ((before (buffer-string)))
    (condition-case problem (completion-at-point)
      (jsonrpc-error (message "%s" problem)))
    (not (equal before (buffer-string)))))

(find-file (pop command-line-args-left))
(eglot-ensure)
(run-hooks 'post-command-hook) ; batch mode has no command loop; this is where eglot connects
(tried-wait 60 "the server" #'eglot-current-server)
(goto-char (point-max))
(skip-chars-backward "\n")
(insert " / ")
(tried-wait 120 "a completion" #'tried-complete)
(save-buffer)
(message "tried: emacs %s, eglot, %s" emacs-version (buffer-substring (line-beginning-position) (line-end-position)))
(eglot-shutdown (eglot-current-server))
