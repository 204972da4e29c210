"""How many threads torch computes with: a setting of the whole process, for as long as one is asked."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Threads:
    """`count` of them from now on, 0: as they are; until `restore`."""

    count: int
    before: int

    @staticmethod
    def use(count: int) -> "Threads":
        if not count:
            return Threads(0, 0)
        import torch

        before = torch.get_num_threads()
        torch.set_num_threads(count)
        return Threads(count, before)

    def restore(self) -> None:
        """The next contestant finds what this one found."""
        if self.count:
            import torch

            torch.set_num_threads(self.before)
