"""A small example with something missing: `make infill` fills it."""


def average(values: list[float]) -> float:
    """Return the arithmetic mean of the values."""
    total, count = 0.0, 0
    for value in values:
        total += value
        
    return total / count


print(average([1.0, 2.0, 6.0]))
