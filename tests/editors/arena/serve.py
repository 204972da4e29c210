"""The arena's real server with contestants whose answers are known, for a browser to look at."""

import sys
from pathlib import Path
from random import Random

from dcomplete.votes.store import VoteStore
from dcomplete_eval.arena.dealing import Dealer
from dcomplete_eval.arena.lanes import opened
from dcomplete_eval.arena.pairing import Uniform
from dcomplete_eval.arena.sitting import Sitting
from dcomplete_eval.arena.web import Listener
from dcomplete_eval.types import Answer, Task

SOURCE = Path(__file__).parents[3] / "dcomplete" / "registry.py"
CALL = "get_close_matches(name, self._entries, n=1)"
HOSTILE = "<img src=x onerror=alert(1)><script>document.title = 'owned'</script>"
GAPS = {  # what was there, and what the two say
    CALL: (CALL, "[entry for entry in self._entries if entry.startswith(name[:1])][:1]"),
    'hint = f" Did you mean {near[0]!r}?" if near else ""': ('hint = ""', "hint = str(near)"),
    """        if isinstance(entry, str):
            module, attribute = entry.split(":")
            entry = cast(T, getattr(import_module(module), attribute))
            self._entries[name] = entry
""": (
        """        if isinstance(entry, str):
            module, attribute = entry.split(":")
            entry = getattr(import_module(module), attribute)
            self._entries[name] = entry
""",
        "        entry = import_module(entry) if callable(entry) else entry\n",
    ),
    "return iter(self._entries)": ("return iter(self._entries)", f"return '{HOSTILE}'"),
}


def tasks() -> list[Task]:
    text = SOURCE.read_text()
    found = []
    for gold in GAPS:
        before, after = text.split(gold, 1)
        found.append(Task(f"t{len(found)}", "page", "g", before, after, gold))
    return found


class Known:
    """Says the first or the second of what is known for a gap."""

    def __init__(self, name: str, which: int, ms: float) -> None:
        self.name, self._which, self._ms = name, which, ms

    def settings(self) -> dict[str, str]:
        return {"kind": "known"}

    def answer(self, task: Task) -> Answer:
        return Answer(GAPS[task.gold][self._which], self._ms)

    def close(self) -> None:
        return


def main() -> None:
    makers = [lambda: Known("engine:planted-a", 0, 212.0), lambda: Known("ar:planted-b", 1, 389.0)]
    with VoteStore(Path(sys.argv[1])) as store, opened(makers) as lanes:
        sitting = Sitting(Dealer(lanes, tasks(), Uniform(), store, "web", Random(0)))
        listener = Listener()
        print(listener.url, flush=True)
        try:
            listener.serve(sitting, minimum=4)
        finally:
            sitting.close()


if __name__ == "__main__":
    main()
