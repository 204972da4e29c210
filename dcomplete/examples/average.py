"""A small example with something missing: `make infill` fills it."""


def average(values: list[float]) -> float:
    """Return the mean of some numbers."""
    total = sum(values)
    count = len(values)
    return 


print(average([1.0, 2.0, 6.0]))
