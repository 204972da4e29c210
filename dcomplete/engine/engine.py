"""The engine in this process: a request's text in, answers out."""

import time
from dataclasses import dataclass, replace

import torch

from dcomplete.engine.branches import branched
from dcomplete.engine.checks import check_request
from dcomplete.engine.clusters import MAX_PINNED, behind, joined, split, too_late
from dcomplete.engine.constraints import Constraint, Free
from dcomplete.engine.denoise import Plan, Steps
from dcomplete.engine.fill import Filler, Look, Over, unwatched
from dcomplete.engine.filled import Counts, Filled
from dcomplete.engine.policies import PUBLISHED, policy
from dcomplete.engine.prompt import Task, make_task
from dcomplete.engine.sampling import Sampler
from dcomplete.engine.sureness import best_beginning
from dcomplete.engine.tokens import Tokens
from dcomplete.models.canvas import PINNED, VOID, Canvas
from dcomplete.models.family import Family
from dcomplete.types import (
    Answer,
    CancelToken,
    Cell,
    Finish,
    Infill,
    InfillRequest,
    Stopwatch,
    Timings,
    Watcher,
)

_WIDTHS = {"bfloat16": 2, "int8": 2, "fp8": 1}  # bytes a number, about: int8 leaves some wide
_BLOCKS = 5 / 8  # bytes a number, of 4-bit blocks beside that
_LEAST_CONTEXT = 16  # tokens
_SENTINELS = 8  # tokens, at most, that a layout puts around the text


@dataclass(slots=True)
class LocalEngine:
    """Runs a family's weights in this process; one forward pass at a time. See `types.Engine`."""

    family: Family
    tokens: Tokens
    default_policy: str = "threshold"
    load_ms: float = 0.0
    constraint: Constraint | None = None

    @property
    def facts(self) -> tuple[str, str, str, int]:
        """Name, device, number format, and the bytes that the weights take, about."""
        family = self.family
        size = _WIDTHS.get(family.label, 4) + (_BLOCKS if family.few else 0)
        return (
            family.name,
            str(family.device),
            family.label,
            int(size * family.net.config.parameters),
        )

    @property
    def cached_bytes(self) -> int:
        """The contexts that are kept for the next requests."""
        return self.family.pool.bytes

    def infill(
        self,
        request: InfillRequest,
        cancel: CancelToken | None = None,
        watch: Watcher | None = None,
    ) -> Infill:
        """See `types.Engine.infill`."""
        steps = self.steps(request, cancel, watch)
        while True:
            try:
                next(steps)
            except StopIteration as done:
                return done.value  # type: ignore[no-any-return]

    def steps(
        self,
        request: InfillRequest,
        cancel: CancelToken | None = None,
        watch: Watcher | None = None,
    ) -> Steps[Infill]:
        """`infill` as a generator that yields between forward passes, so that requests share the
        engine step by step. Closing it gives the request up. Times include the pauses.
        """
        check_request(request)
        clock = Stopwatch()
        name = request.policy or self.default_policy
        if name == PUBLISHED:
            name, usage = self.default_policy, self.family.usage
            request = replace(request, temperature=usage.temperature, top_p=usage.top_p)
        plan = self._plan(request, name, cancel or CancelToken())
        counts = Counts()
        answers, context, tokenize = yield from self._answer(request, plan, counts, watch)
        timings = Timings(
            self.load_ms, tokenize, counts.prefill_ms, counts.denoise_ms, clock.total()
        )
        return Infill(
            answers=tuple(answers),
            model=self.family.name,
            device=str(self.family.device),
            dtype=self.family.label,
            policy=name,
            steps=counts.steps,
            forwards=counts.forwards,
            tokens_computed=counts.computed,
            context_tokens=context,
            timings=timings,
        )

    def _plan(self, request: InfillRequest, name: str, cancel: CancelToken) -> Plan:
        generator = torch.Generator(self.family.device).manual_seed(request.seed)
        late = None
        if request.deadline_ms is not None:
            late = time.monotonic() + request.deadline_ms / 1000
        return Plan(
            policy=policy(name),
            sampler=Sampler(request.temperature, request.top_p, generator),
            constraint=self.constraint or Free(),
            steps=request.steps,
            deadline=late,
            cancel=cancel,
        )

    def _answer(
        self, request: InfillRequest, plan: Plan, counts: Counts, watch: Watcher | None
    ) -> Steps[tuple[list[Answer], int, float]]:
        """Fill cluster by cluster: gaps that are too many or too far apart for one canvas are filled
        one after another, as long as there is time.
        """
        if request.ahead:
            return (yield from self._nothing(request, plan, counts))
        if request.between:  # a gap may be filled by itself, and still has text to meet
            request = replace(request, line=False)
        head, rest = split(self.tokens, request)
        answers, context, tokenize = yield from self._one_canvas(head, plan, counts, watch)
        while rest is not None:
            best = answers[0]
            if plan.deadline is not None and time.monotonic() >= plan.deadline:
                return [too_late(a, rest.gaps) for a in answers], context, tokenize
            whole = behind(rest, request, best.texts)
            head, rest = split(self.tokens, whole)
            more, _, ms = yield from self._one_canvas(head, plan, counts, watch)
            answers, tokenize = [joined(best, a) for a in more], tokenize + ms
        return answers, context, tokenize

    def _nothing(
        self, request: InfillRequest, plan: Plan, counts: Counts
    ) -> Steps[tuple[list[Answer], int, float]]:
        """Compute the context, and no more: the next request finds it in the cache."""
        clock = Stopwatch()
        task = make_task(self.tokens, self._fitting(request))
        tokenize = clock.lap()
        with self.family.open(task.prompt, request.reuse, request.stale) as session:
            for _ in session.warm():
                plan.cancel.check()
                yield
        counts.prefill_ms += clock.lap()
        counts.add(session)
        return [Answer.none(request.gaps)] * request.samples, task.context_tokens, tokenize

    def _one_canvas(
        self, request: InfillRequest, plan: Plan, counts: Counts, watch: Watcher | None
    ) -> Steps[tuple[list[Answer], int, float]]:
        tokenize, request = 0.0, self._fitting(request)
        for heal_tail in (True, False):
            clock = Stopwatch()
            task = make_task(self.tokens, request, heal_tail)
            head = task.seam.head
            draft = None
            if request.draft:
                draft = self.tokens.encode(task.seam.middle(request.draft))
            tokenize += clock.lap()
            look = self._look(watch, head)
            others = branched if request.branches else None
            over = self._over(request, task)
            filler = Filler(self.family, request, plan, look, counts, over, others)
            filled = yield from filler.fill(task, self.tokens.starts(task.seam), draft)
            answers = [self._text(request, task, one) for one in filled]
            fitting = [a for a in answers if a is not None]
            if request.branches or request.confidence:
                fitting = _each_once(fitting)
            if request.confidence:  # what nothing is left of comes last
                fitting.sort(key=lambda a: a.finish is Finish.UNSURE and not a.texts[0])
            silent = None in answers and not any(any(a.texts) for a in fitting)
            if fitting and not silent:
                return fitting[: request.samples], task.context_tokens, tokenize
        raise AssertionError("an answer without a healed tail always fits")

    def _fitting(self, request: InfillRequest) -> InfillRequest:
        """With no more context than leaves the gaps places that the model was trained on, without text from
        elsewhere where the model was trained without, and without branches where a beginning is wanted."""
        most = max(request.max_tokens, request.told or 0)
        gaps = request.gaps * most + (MAX_PINNED if request.between else 0)
        room = self.family.net.config.max_positions - gaps - _SENTINELS
        most = max(_LEAST_CONTEXT, min(request.context_tokens, room))
        other = request.preamble if self.family.usage.other_text else ""
        branches = 0 if request.confidence else request.branches
        return replace(request, context_tokens=most, preamble=other, branches=branches)

    def _text(self, request: InfillRequest, task: Task, filled: Filled) -> Answer | None:
        """Tokens to text, healed borders taken off; None if the answer does not end with the tail."""
        if request.confidence:
            part = self._beginning(request, task, filled)
            if part is not None:
                return part
        texts = [self.tokens.decode(ids) for ids in filled.gaps]
        texts = [self._clean(t, "" if i else task.seam.head) for i, t in enumerate(texts)]
        tail = task.seam.tail
        if not texts[-1].endswith(tail):
            return None
        texts[-1] = texts[-1].removesuffix(tail)
        return Answer(tuple(texts), filled.tokens, filled.score, filled.finish)

    def _clean(self, text: str, head: str) -> str:
        """Without the healed `head`, half a character at its end, and what is behind a stop."""
        text = text.rstrip("\ufffd")[len(head) :]
        for stop in self.family.usage.stops:
            text = text.partition(stop)[0]
        return text

    def _beginning(self, request: InfillRequest, task: Task, filled: Filled) -> Answer | None:
        """What of an answer to a single gap promises most; None if that is all of it, and nothing where
        it has to end with a tail, which it does not reach."""
        tokens, whole = filled.gaps[0], filled.finish is not Finish.UNSURE
        if task.seam.tail:
            return None if whole else Answer(("",), 0, 0.0, Finish.UNSURE)

        def length(text: str) -> int:
            text = self._clean(text, task.seam.head)
            text = text.lstrip().partition("\n")[0] if request.line else text
            return sum(len(line.strip()) for line in text.splitlines())

        count, text = best_beginning(
            tokens, filled.nats, request.confidence, self.tokens.decode, length
        )
        if whole and count == len(tokens):
            return None
        count, text = (count, self._clean(text, task.seam.head)) if length(text) else (0, "")
        ended = request.line and _is_over(text)  # a GPU does not look whether a line is over
        score = sum(filled.nats[:count]) / max(1, count)
        return Answer((text,), count, score, Finish.DONE if ended else Finish.UNSURE)

    def _over(self, request: InfillRequest, task: Task) -> Over | None:
        """Where the answer to `request` may end early, if anywhere. On a GPU the host does not look."""
        head = task.seam.head
        if not request.line or task.seam.tail or self.family.device.type != "cpu":
            return None

        def over(tokens: list[int]) -> bool:
            return _is_over(self.tokens.decode(tokens).removeprefix(head))

        return over

    def _look(self, watch: Watcher | None, head: str) -> Look:
        if watch is None:
            return unwatched
        return lambda step, canvas: watch(step, self._cells(canvas, head))

    def _cells(self, canvas: Canvas, head: str) -> list[list[Cell]]:
        fill = self.family.specials.fill
        rows = []
        for ids, opened, gaps in zip(
            canvas.ids.tolist(), canvas.open.tolist(), canvas.gap.tolist(), strict=True
        ):
            row = []
            for token, is_open, gap in zip(ids, opened, gaps, strict=True):
                if gap != VOID:
                    text = None if is_open else "" if token == fill else self.tokens.decode([token])
                    row.append(Cell(text, gap == PINNED))
            rows.append(_behind(head, row))
        return rows


def _behind(head: str, row: list[Cell]) -> list[Cell]:
    """Cells without the healed text, which is on the page already."""
    for place, cell in enumerate(row):
        text = cell.text or ""
        same = min(len(text), len(head))
        if not same or text[:same] != head[:same]:
            break
        row[place], head = Cell(text[same:], cell.pinned), head[same:]
    return row


def _is_over(text: str) -> bool:
    """Whether a line, or else the next one with text, is at its end."""
    return "\n" in text.lstrip()


def _each_once(answers: list[Answer]) -> list[Answer]:
    """Without what reads like an earlier answer: other tokens may be the same text."""
    kept: dict[tuple[str, ...], Answer] = {}
    for answer in answers:
        kept.setdefault(answer.texts, answer)
    return list(kept.values())
