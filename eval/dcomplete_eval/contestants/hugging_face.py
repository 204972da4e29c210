"""A Hugging Face model folder through transformers, greedy or sampled. No code from the folder is run."""

from importlib import import_module
from pathlib import Path
from typing import Any

from dcomplete.errors import UserError
from dcomplete.types import Stopwatch
from dcomplete_eval.contestants import weights
from dcomplete_eval.contestants.around import Around
from dcomplete_eval.contestants.asked import Asked
from dcomplete_eval.contestants.continuing import RULE, Cut
from dcomplete_eval.contestants.spec import Spec
from dcomplete_eval.contestants.templates import Template, cut_at, known_by
from dcomplete_eval.contestants.threads import Threads
from dcomplete_eval.types import Answer, Task


class HuggingFace:
    """See `types.Contestant`."""

    def __init__(self, spec: Spec, folder: Path) -> None:
        self._library, self._torch = _libraries()
        self._library.utils.logging.disable_progress_bar()  # ours is enough
        asked = Asked.read(spec)
        self._most, self._temperature, self._seed = asked.max_tokens, asked.temperature, asked.seed
        self._context, self._lines = asked.context, asked.lines
        self._tokenizer, self._model = self._load(folder, asked)
        self._template = self._find_template() if asked.fim else None
        self._folder, self._weights = folder.resolve().name, weights.of_folder(folder)
        self.name = spec.label(self._folder, "" if self._template else "prefix")
        self._threads = Threads.use(asked.threads)

    def _load(self, folder: Path, asked: Asked) -> tuple[Any, Any]:
        try:
            tokenizer = self._library.AutoTokenizer.from_pretrained(folder, local_files_only=True)
            model = self._library.AutoModelForCausalLM.from_pretrained(
                folder,
                local_files_only=True,
                use_safetensors=True,
                dtype=getattr(self._torch, asked.dtype),
            )
            return tokenizer, model.to(asked.device).eval()
        except (OSError, ValueError, RuntimeError, KeyError) as error:
            why = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise UserError(f"transformers cannot load {folder}: {why}") from None

    def _find_template(self) -> Template | None:
        vocabulary = self._tokenizer.get_vocab()
        return known_by(vocabulary.__contains__)

    def settings(self) -> dict[str, Any]:
        return {
            "kind": "ar",
            "through": f"transformers {self._library.__version__}",
            "model": self._folder,
            "weights": self._weights,
            "max_tokens": self._most,
            "context": self._context,
            "temperature": self._temperature,
            "seed": self._seed,
            "fim": self._template is not None,
            "rule": "" if self._template else RULE,
            "lines": "gold" if self._lines is None else self._lines,
            "device": str(self._model.device),
            "dtype": str(self._model.dtype).removeprefix("torch."),
            "threads": self._torch.get_num_threads(),
            "post": "none",
        }

    def answer(self, task: Task) -> Answer:
        watch = Stopwatch()
        around = Around.of(task, self._context)
        template, cut = self._template, Cut.of(task, self._lines)
        text = cut.shown(around).before if template is None else template.render(around)
        asked = self._tokenizer(text, return_tensors="pt").to(self._model.device)
        before = asked["input_ids"].shape[1]
        if not before:
            return Answer("", watch.total(), error="The model cannot continue an empty text.")
        enough = () if template else (_Enough(self, cut, before),)
        ids = self._generate(asked, enough)[0, before:]
        answer = self._decode(ids)
        answer = cut_at(answer, template.ends) if template else cut.apply(answer)
        ms, passes = watch.total(), len(ids)
        tokens, true = self._count(answer), self._count(task.gold)
        return Answer(answer, ms, tokens, true, steps=passes, forwards=passes)

    def _count(self, text: str) -> int:
        """Tokens of a text alone, so that answer and truth are counted alike, without an end."""
        return len(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def _generate(self, asked: Any, enough: tuple[Any, ...]) -> Any:
        sampled = {"do_sample": True, "temperature": self._temperature} if self._temperature else {}
        self._torch.manual_seed(self._seed)
        with self._torch.inference_mode():
            return self._model.generate(
                **asked,
                max_new_tokens=self._most,
                stopping_criteria=self._library.StoppingCriteriaList(enough),
                pad_token_id=self._tokenizer.pad_token_id or self._tokenizer.eos_token_id or 0,
                **({"do_sample": False} | sampled),
            )

    def _decode(self, ids: Any) -> str:
        """Text without the marks that end it; other special tokens are left for `cut_at`."""
        text: str = self._tokenizer.decode(
            ids, skip_special_tokens=self._template is None, clean_up_tokenization_spaces=False
        )
        end = self._tokenizer.eos_token
        return text.removesuffix(end) if end else text

    def close(self) -> None:
        self._threads.restore()
        del self._model


class _Enough:
    """A stopping criterion: what is written so far holds the gap's lines."""

    def __init__(self, owner: HuggingFace, cut: Cut, before: int) -> None:
        self._owner, self._cut, self._before = owner, cut, before

    def __call__(self, ids: Any, scores: Any, **_: Any) -> Any:
        done = self._cut.enough(self._owner._decode(ids[0, self._before :]))
        return self._owner._torch.full((ids.shape[0],), done, device=ids.device)


def _libraries() -> tuple[Any, Any]:
    try:
        return import_module("transformers"), import_module("torch")
    except ImportError:
        raise UserError(
            "Model folders as contestants need transformers: pip install transformers."
        ) from None
