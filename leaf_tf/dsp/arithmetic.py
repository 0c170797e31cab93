"""Arithmetic of whole numbers."""

from typing import Any


def ceil_div(dividend: Any, divisor: int) -> Any:
    """Quotient of whole numbers, rounded up.

    Args:
        dividend: Integer, or integer tensor.
        divisor: At least 1.

    Example:
        >>> ceil_div(7, 2), ceil_div(6, 2), ceil_div(0, 2)
        (4, 3, 0)
    """
    return (dividend + divisor - 1) // divisor
