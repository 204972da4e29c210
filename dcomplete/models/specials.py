"""The token ids with a meaning of their own."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Specials:
    """Ids of a checkpoint's special tokens; None where the family has no such token.

    suffix, prefix, middle are the fill-in-the-middle sentinels. `mask` stands for a token to be
    denoised, `fill` for nothing (it is deleted from a finished gap), `expand` for two masks
    (DreamOn). `bos` stands before the text and `eos` behind it where the family is used to them.
    `reserved` are further ids that no answer may contain.
    """

    mask: int
    suffix: int | None = None
    prefix: int | None = None
    middle: int | None = None
    fill: int | None = None
    expand: int | None = None
    bos: int | None = None
    eos: int | None = None
    reserved: tuple[int, ...] = ()

    @property
    def named(self) -> list[int]:
        """Ids that mean something to the engine; no text may turn into them."""
        sentinels = {self.mask, self.suffix, self.prefix, self.middle}
        return sorted(
            i for i in sentinels | {self.fill, self.expand, self.bos, self.eos} if i is not None
        )

    @property
    def banned(self) -> list[int]:
        """Ids that are never proposed: all special ones but `fill` and `expand`."""
        named = {self.mask, self.suffix, self.prefix, self.middle, self.bos, self.eos}
        named |= set(self.reserved)
        return sorted(i for i in named - {self.fill, self.expand, None} if i is not None)

    @property
    def endless(self) -> bool:
        """Whether the model cannot end a gap itself, so that its length must be found beforehand."""
        return self.fill is None and self.expand is None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(raw: dict[str, Any]) -> "Specials":
        return Specials(**{**raw, "reserved": tuple(raw.get("reserved", ()))})
