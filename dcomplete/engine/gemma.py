"""DiffusionGemma, run by the transformers library: the prefix in its cache, the gap on its canvas.

Its noise is random tokens, so it knows no mask and does not fit our loop. What follows the gap stands in
the canvas as well: a logits processor makes those places certain at every step, so that its sampler
always accepts and never re-draws them, and its self-conditioning sees them.
"""

import math
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dcomplete.engine.checks import check_request
from dcomplete.engine.denoise import Steps
from dcomplete.engine.policies import PUBLISHED
from dcomplete.engine.prompt import clip_end, clip_start, shown_prefix
from dcomplete.errors import ModelError, UserError
from dcomplete.models.checkpoint import Manifest
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

POLICY = "entropy-bound"  # its own sampler; no other fits
_SIZES = (4, 8, 16, 32, 64)  # lengths of a gap that are tried side by side
_CHARS_PER_TOKEN = 4


class _Late(Exception):
    """The deadline has passed; the draft is the answer."""


class Pins:
    """A logits processor: pinned places are certain, and somebody may look or stop at every step.

    `pins` [R, W] holds token ids, -1 where the model decides. transformers checks the names of the
    call's arguments.
    """

    def __init__(self, pins: Tensor, plan: "_Plan") -> None:
        self._pins, self._plan = pins, plan
        self.steps = 0
        self.draft = pins  # the most probable canvas
        self.sure = torch.zeros(len(pins))  # nats per free cell, [R]

    def __call__(self, input_ids: Tensor, scores: Tensor, cur_step: int) -> Tensor:
        self._plan.cancel.check()
        fixed = self._pins >= 0
        if bool(fixed.any()):
            only = torch.full_like(scores, float("-inf"))
            only.scatter_(-1, self._pins.clamp(min=0).unsqueeze(-1), 0.0)
            scores = torch.where(fixed.unsqueeze(-1), only, scores)
        self.steps += 1
        best, self.draft = scores.float().log_softmax(-1).max(-1)
        free = (~fixed).sum(-1).clamp(min=1)
        self.sure = best.masked_fill(fixed, 0.0).sum(-1) / free
        self._plan.look(self.steps, self.draft, fixed)
        if self._plan.late():
            raise _Late
        return scores


@dataclass(slots=True)
class _Plan:
    """What a request wants of a run."""

    engine: "GemmaEngine"
    cancel: CancelToken
    watch: Watcher | None
    deadline: float | None

    def late(self) -> bool:
        return self.deadline is not None and time.monotonic() >= self.deadline

    def look(self, step: int, draft: Tensor, fixed: Tensor) -> None:
        if self.watch is not None:
            rows = zip(draft.tolist(), fixed.tolist(), strict=True)
            self.watch(
                step,
                [[Cell(self.engine.text([t]), p) for t, p in zip(*r, strict=True)] for r in rows],
            )


@dataclass(slots=True)
class GemmaEngine:
    """DiffusionGemma's weights in this process. See `types.Engine`.

    Requests do not take turns between its steps: the library's own loop runs to its end.
    """

    name: str
    model: Any
    tokenizer: Any
    manifest: Manifest
    label: str
    load_ms: float = 0.0

    @property
    def device(self) -> str:
        return str(self.model.device)

    @property
    def cached_bytes(self) -> int:
        """See `LocalEngine.cached_bytes`: nothing is kept."""
        return 0

    @property
    def facts(self) -> tuple[str, str, str, int]:
        """See `LocalEngine.facts`."""
        size = sum(p.numel() * p.element_size() for p in self.model.parameters())
        return self.name, self.device, self.label, int(size)

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
        """`infill` as a generator.

        What is drawn is for its own sampler to say: temperature, top_p and branches, which editors and HTTP
        clients send with every request, change nothing. With a confidence an answer is whole or none.
        """
        check_request(request)
        if request.policy not in ("", PUBLISHED, POLICY):
            raise UserError(
                f"DiffusionGemma has a sampler of its own; use --policy {POLICY} or none."
            )
        clock = Stopwatch()
        late = request.deadline_ms
        until = None if late is None else time.monotonic() + late / 1000
        plan = _Plan(self, cancel or CancelToken(), watch, until)
        yield
        if request.ahead:  # which nothing would be kept of
            none = (Answer.none(request.gaps),) * request.samples
            return Infill(none, self.name, self.device, self.label, POLICY, 0, 0, 0, 0)
        context = self._context(request)
        pins, gaps = self._canvases(request)
        canvas, seen, finish = self._run(request, context, pins, plan)
        order = seen.sure.argsort(descending=True).tolist()[: request.samples]
        answers = [
            _sure(request, self._answer(canvas[row], gaps[row], float(seen.sure[row]), finish))
            for row in order
        ]
        passes = seen.steps
        return Infill(
            answers=tuple(answers),
            model=self.name,
            device=self.device,
            dtype=self.label,
            policy=POLICY,
            steps=passes,
            forwards=passes + 1,
            tokens_computed=context.numel() + passes * pins.numel(),
            context_tokens=context.numel(),
            timings=Timings(self.load_ms, denoise=clock.lap(), total=clock.total()),
        )

    def text(self, ids: list[int]) -> str:
        return str(self.tokenizer.decode(ids, skip_special_tokens=True))

    def _ids(self, text: str) -> list[int]:
        return list(self.tokenizer.encode(text, add_special_tokens=False).ids)

    def _context(self, request: InfillRequest) -> Tensor:
        text = clip_start(
            request.preamble + shown_prefix(request), request.context_tokens * _CHARS_PER_TOKEN
        )
        bos = self.manifest.specials.bos
        ids = [*([] if bos is None else [bos]), *self._ids(text)[-request.context_tokens :]]
        return torch.tensor([ids], device=self.model.device)

    def _canvases(self, request: InfillRequest) -> tuple[Tensor, list[list[slice]]]:
        """Pinned tokens [R, canvas], -1 where free, and each row's gaps; one row a length and sample."""
        width = int(self.model.config.canvas_length)
        between = [self._ids(text) for text in request.between]
        after = self._ids(clip_end(request.suffix, width * _CHARS_PER_TOKEN))[: width // 2]
        rows, places = [], []
        for size in self._lengths(request, width - len(after) - sum(map(len, between))):
            ids, gaps = [-1] * size, [slice(0, size)]
            for pinned in between:
                gaps.append(slice(len(ids) + len(pinned), len(ids) + len(pinned) + size))
                ids += [*pinned, *[-1] * size]
            ids = [*ids, *after][:width]
            rows += [ids + [-1] * (width - len(ids))] * request.samples
            places += [gaps] * request.samples
        return torch.tensor(rows, device=self.model.device), places

    def _lengths(self, request: InfillRequest, room: int) -> list[int]:
        most = room // request.gaps
        if most < 1:
            raise UserError("The text between the gaps does not fit on DiffusionGemma's canvas.")
        if request.told is not None:
            return [min(request.told, most)]
        if not request.suffix and not request.between:
            return [min(most, request.max_tokens)]  # nothing follows: it says itself where it ends
        return [n for n in _SIZES if n <= min(most, request.max_tokens)] or [min(most, 4)]

    def _run(
        self, request: InfillRequest, context: Tensor, pins: Tensor, plan: _Plan
    ) -> tuple[Tensor, Pins, Finish]:
        from transformers import LogitsProcessorList

        seen = Pins(pins, plan)
        rows, more = len(pins), {}
        with torch.random.fork_rng(), torch.inference_mode():
            torch.manual_seed(request.seed)
            if bool((pins >= 0).any()):
                vocab = self.model.config.text_config.vocab_size
                start = torch.randint(vocab, pins.shape, device=pins.device)
                more["decoder_input_ids"] = torch.where(pins >= 0, pins, start)
            try:
                made = self.model.generate(
                    input_ids=context.expand(rows, -1).contiguous(),
                    max_new_tokens=pins.shape[1],
                    logits_processor=LogitsProcessorList([seen]),
                    **more,
                )
            except _Late:
                return seen.draft, seen, Finish.DEADLINE
        return made.sequences[:, context.shape[1] :], seen, Finish.DONE

    def _answer(self, canvas: Tensor, gaps: list[slice], score: float, finish: Finish) -> Answer:
        ids, ends = canvas.tolist(), self._ends()
        texts, count = [], 0
        for gap in gaps:
            tokens = ids[gap]
            stop = next((i for i, token in enumerate(tokens) if token in ends), len(tokens))
            texts.append(self.text(tokens[:stop]))
            count += stop
        return Answer(tuple(texts), count, score, finish)

    def _ends(self) -> set[int]:
        config = self.model.generation_config
        said = config.eos_token_id if config.eos_token_id is not None else []
        return {*(said if isinstance(said, list) else [said])} | {config.pad_token_id}


def _sure(request: InfillRequest, answer: Answer) -> Answer:
    """The answer, if it is as likely as is wanted; it was not read from left to right, to be cut."""
    if not request.confidence or answer.score * answer.tokens >= math.log(request.confidence):
        return answer
    return Answer(("",), 0, 0.0, Finish.UNSURE)


def load_gemma(name: str, folder: Path, device: torch.device, dtype: str) -> GemmaEngine:
    """Load an installed DiffusionGemma; raises ModelError where the library is missing or too old."""
    watch = Stopwatch()
    try:
        from transformers import DiffusionGemmaForBlockDiffusion
        from transformers.utils.logging import disable_progress_bar
    except ImportError:
        raise ModelError(
            "DiffusionGemma needs the transformers library: pip install 'dcomplete[gemma]'."
        ) from None
    from tokenizers import Tokenizer

    disable_progress_bar()  # type: ignore[no-untyped-call]
    if dtype not in ("auto", "float32", "bfloat16"):
        raise UserError(f"DiffusionGemma runs in float32 or bfloat16, not in {dtype}.")
    label = "float32" if dtype == "float32" else "bfloat16"
    model = DiffusionGemmaForBlockDiffusion.from_pretrained(
        folder, dtype=getattr(torch, label), local_files_only=True, trust_remote_code=False
    )
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    manifest = Manifest.read(folder)
    try:
        model.to(device)  # type: ignore[arg-type]  # its stub knows no device
    except torch.OutOfMemoryError:
        raise ModelError(
            f"{name} does not fit on the graphics card; use --device cpu or a smaller model."
        ) from None
    model.eval()  # type: ignore[no-untyped-call]
    engine = GemmaEngine(name, model, tokenizer, manifest, label)
    return replace(engine, load_ms=watch.total())
