"""Types of arguments that Python's own do not name."""

from typing import Any, TypeAlias

# A tensor of whichever backend Keras runs on; the backends' classes share no base.
Tensor: TypeAlias = Any
# A number of samples or frames: an integer, or a scalar tensor where a graph is traced
# for any length, or None where a shape leaves it open.
Size: TypeAlias = Any
