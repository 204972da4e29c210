;;; waiting.el --- what the tries have in common  -*- lexical-binding: t -*-

;;; Code:
(setq native-comp-jit-compilation nil          ; there may be no compiler here
      native-comp-enable-subr-trampolines nil)

(defun tried-wait (seconds what condition)
  "Let processes run until CONDITION gives a value, at most SECONDS; WHAT is for the message."
  (let ((end (time-add nil seconds)) value)
    (while (and (not (setq value (funcall condition))) (time-less-p nil end))
      (accept-process-output nil 0.1))
    (or value (error "Waited in vain for %s" what))))
