"""How much is a Kubernetes quantity? Bytes or cores; units of the API reference, "Quantity"."""

_UNITS = {
    **{f"{prefix}i": 2 ** (10 * power) for power, prefix in enumerate("KMGTPE", 1)},
    **{prefix: 10 ** (3 * power) for power, prefix in enumerate("kMGTPE", 1)},
    "m": 1e-3,
}


def quantity(text: str | float) -> float:
    """Bytes or cores. Raises ValueError for what is no quantity."""
    word = str(text)
    unit = next((unit for unit in _UNITS if word.endswith(unit)), "")
    return float(word.removesuffix(unit)) * float(_UNITS.get(unit, 1))
