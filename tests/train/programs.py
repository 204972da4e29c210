"""Made-up programs, of which no two are near duplicates."""

import random


def program(seed: int, functions: int = 8) -> str:
    """A made-up module: every seed gives other names, so that no two are near duplicates."""
    rng = random.Random(seed)

    def name() -> str:
        return "".join(rng.choice("abcdefghijklmnop") for _ in range(6))

    parts = [f'"""Tools for {name()} and {name()}."""\n\nimport {name()}\n']
    for _ in range(functions):
        a, b, c = name(), name(), name()
        parts.append(
            f"\n\ndef {a}({b}, {c}=None):\n    # {name()} first\n    {name()} = {b}.{name()}({c})\n"
            f"    if {c} is None:\n        return {name()}({b}, {name()}='ü{name()}')\n"
            f"    for {name()} in {b}:\n        print({c}, {name()}, {rng.random():.2f})\n"
            f"    return {b} + {c}\n\n\ndef {name()}({b}):\n    return {a}({b}, 1)\n"
        )
    return "".join(parts)
