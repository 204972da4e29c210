"""Results of every kind that a report shows, one of them with a text that would break a page."""

import json

from dcomplete_eval.report.runs import Material, Run
from tests.eval.results import RANKING, REPLAY, head, record, run

EVIL = "</pre><script>alert('&')</script>"


def material():
    engine = {"kind": "engine", "model": "m", "device": "cpu", "dtype": "float32", "length": "auto"}
    goods = [1, 0, 1, 1, 0, 1, 0, 0, 1, 1, 1, 0]
    runs = [
        run("engine:small", goods, **engine),
        run("engine:oracle", [1] * 11 + [0], **engine | {"length": "oracle"}),
        run("gold", [1] * 12, kind="gold"),
    ]
    peer = tuple(
        record(n, n % 3 == 0, kind="line" if n % 2 else "block", answer={"text": EVIL, "tokens": n})
        for n in range(12)
    )
    runs.append(Run(f"peer{EVIL}", "holes", head(f"peer{EVIL}", kind="ar"), peer))
    return Material(runs, [dict(REPLAY)], [json.loads(json.dumps(RANKING))])
