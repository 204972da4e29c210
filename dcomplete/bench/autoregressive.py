"""Autoregressive decoding of the same shapes: our network with recorded steps, and transformers' own."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from dcomplete.bench.loops import Task
from dcomplete.bench.shapes import made_on
from dcomplete.models.cache import ContextCache
from dcomplete.models.config import NetConfig
from dcomplete.models.family import Family
from dcomplete.models.frame import Frame
from dcomplete.models.recording import Body, Recorder, plain
from dcomplete.models.static_cache import StaticCache
from dcomplete.models.visibility import Visibility


class OwnDecoder:
    """One token a pass with everything on the device: the next token is input without a look at it."""

    def __init__(self, family: Family, capacity: int, recorder: Recorder = plain) -> None:
        self.family, net = family, family.net
        self.cache = StaticCache(net.config, 1, capacity, family.dtype, family.device)
        self.token = torch.zeros(1, 1, dtype=torch.int64, device=family.device)
        with torch.inference_mode():
            self._step: Body = recorder(self._body)
            self.cache.length.zero_()
        self._first = self.token.clone()
        self._context = 0

    def _body(self) -> None:
        positions = self.cache.place(1)
        see = Visibility(None, length=self.cache.length + 1)
        hidden = self.family.net(self.token, positions, see, self.cache)
        self.token.copy_(self.family.net.head(hidden).argmax(-1))
        self.cache.length.add_(1)

    @torch.inference_mode()
    def prefill(self, task: Task) -> None:
        """Compute the context causally in one pass and make its last state choose the first token."""
        family, device = self.family, self.family.device
        prompt = task.prompt(family.net.config.vocab)
        ids = torch.tensor([[*prompt.prefix, *prompt.suffix]], device=device)
        count = ids.shape[1]
        context = ContextCache(family.net.config, family.dtype, device)
        context.room(count)
        places = torch.arange(count, device=device)[None]
        hidden = family.net(ids, places, Visibility(None, causal=True), context)
        context.keep(Frame.shared(ids[0].tolist()), count)
        self.cache.load(context, task)
        self.token.copy_(family.net.head(hidden[:, -1:]).argmax(-1))
        self._first = self.token.clone()
        self._context = count

    @torch.inference_mode()
    def decode(self, task: Task) -> Tensor:
        """`task.canvas` tokens behind the context that is there, which stays: ids [canvas]."""
        made = [self._first.clone()]
        self.token.copy_(self._first)
        self.cache.length.fill_(self._context)
        for _ in range(task.canvas - 1):
            self._step()
            made.append(self.token.clone())
        return torch.cat(made, 1)[0]


@dataclass(slots=True)
class Transformers:
    """`transformers`: static cache, compiled step (CUDA graphs by mode "reduce-overhead")."""

    model: Any
    step: Callable[..., Any]
    cache: Any
    compiled: bool
    logits: Any = None

    @staticmethod
    def load(config: NetConfig, capacity: int, family: Family) -> "Transformers":
        """Random weights of the same shape on the same device; compiled on a GPU only.

        On a CPU compilation takes a minute for each shape, and tests of the command have none.
        """
        import transformers

        values = transformers.Qwen2Config(
            vocab_size=config.vocab, hidden_size=config.hidden, num_hidden_layers=config.layers,
            num_attention_heads=config.heads, num_key_value_heads=config.kv_heads,
            intermediate_size=config.mlp, tie_word_embeddings=config.tied,
            max_position_embeddings=config.max_positions,
        )  # fmt: skip
        device = family.device
        with made_on(device, family.dtype):
            model: Any = transformers.Qwen2ForCausalLM(values)
            model = model.eval().requires_grad_(False)
        cache = transformers.StaticCache(config=values, max_cache_len=capacity)
        compiled = device.type == "cuda"
        step = torch.compile(model, mode="reduce-overhead", fullgraph=True) if compiled else model
        return Transformers(model, step, cache, compiled)

    @torch.inference_mode()
    def prefill(self, task: Task) -> None:
        """The context into an emptied cache."""
        self.cache.reset()
        prompt = task.prompt(self.model.config.vocab_size)
        ids = torch.tensor([[*prompt.prefix, *prompt.suffix]], device=self.model.device)
        found = self.model(ids, past_key_values=self.cache, use_cache=True, logits_to_keep=1)
        self.logits = found.logits

    @torch.inference_mode()
    def decode(self, task: Task) -> Tensor:
        """`task.canvas` tokens behind what was prefilled just before: ids [canvas]."""
        token = self.logits[:, -1:].argmax(-1)
        made = [token]
        at = max(2, task.context - 3)
        for offset in range(task.canvas - 1):
            place = torch.full((1, 1), at + offset, device=token.device)
            found = self.step(token, position_ids=place, past_key_values=self.cache, use_cache=True)
            token = found.logits[:, -1:].argmax(-1).clone()
            made.append(token)
        return torch.cat(made, 1)[0]
