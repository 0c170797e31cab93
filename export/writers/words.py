"""The words about itself that each artifact of a model holds."""

from export.contract.own_words import OwnWords
from export.source.opening import Source


def made_by() -> str:
    """Program and version, "leaf_tf 1.0".

    Example:

    >>> made_by()
    'leaf_tf ...'
    """
    import leaf_tf

    return f"leaf_tf {leaf_tf.__version__}"


def words_of_source(source: Source, has_heads: bool = True) -> OwnWords:
    """The `OwnWords` for an artifact of a model.

    Args:
        source: The model.
        has_heads: False for a part of it, features or embeddings.

    Example:

    >>> words = words_of_source(source)
    >>> words.sample_rate, words.n_classes
    (8000, {'': 4})
    """
    return OwnWords(
        sample_rate=source.sample_rate,
        window_samples=source.window_samples,
        heads=tuple(source.heads) if has_heads else (),
        made_by=made_by(),
    )
