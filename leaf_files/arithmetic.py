"""Arithmetic of whole numbers."""


def ceil_div(dividend: int, divisor: int) -> int:
    """Quotient of two ints, rounded up; exact however large they are.

    >>> ceil_div(7, 2), ceil_div(6, 2), ceil_div(0, 2)
    (4, 3, 0)
    """
    return -(-dividend // divisor)
