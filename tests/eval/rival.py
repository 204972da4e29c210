"""A history made by hand, and a contestant that says what it is told to."""

import threading

from dcomplete_eval.replay.history import History
from dcomplete_eval.replay.simulate import Habits
from dcomplete_eval.replay.trace import Patch, Trace
from dcomplete_eval.replay.usefulness import Timing, replay
from dcomplete_eval.types import Answer, Task

FILE = "fn main() {\n    \n}\n"  # pasted; the author then writes a line into it


class Rival:
    """Says what `say` returns for a task, after `ms` that are only claimed."""

    name = "rival"

    def __init__(self, say, ms=0.0, **answer):
        self.say, self.ms, self.more = say, ms, answer
        self.asked, self.threads, self.closed = [], set(), False

    def settings(self):
        return {"say": "so"}

    def answer(self, task: Task) -> Answer:
        self.asked.append(task)
        self.threads.add(threading.get_ident())
        return Answer(self.say(task), self.ms, **self.more)

    def close(self):
        self.closed = True


def gold(task):
    return task.gold


def nothing(task):
    return ""


def typed(at, *texts):
    """One stroke for each text, "" for a backspace."""
    strokes = []
    for text in texts:
        strokes.append((Patch(at, 0, text),) if text else (Patch(at - 1, 1, ""),))
        at += len(text) or -1
    return strokes


def made(strokes, start=""):
    trace = Trace("rustcode", start, "", tuple(strokes), tuple(range(0, 3 * len(strokes), 3)))
    *_, end = start, *trace.texts()
    return History(Trace("rustcode", start, end, trace.keystrokes, trace.seconds))


# let x, corrected to let y, then a mark at the file's start
LINE = made([(Patch(0, 0, FILE),), *typed(16, *"let x", "", "y"), (Patch(0, 0, "#"),)])


def played(history, rival, timing=None, **habits):
    timing = timing or Timing(False, None, 0)
    line, events = replay(history, lambda: rival, Habits(**habits), timing, bar=False)
    assert rival.closed
    return line, events
