"""The words that each artifact of a source holds about itself."""

from export.contract.own_words import OwnWords


def made_by():
    """Program and version, "leaf_tf 1.0"."""
    import leaf_tf

    return f"leaf_tf {leaf_tf.__version__}"


def words_of_source(source, has_heads=True):
    """The `OwnWords` for an artifact of a model.

    Args:
        source: `export.source.opening.Source`.
        has_heads: False for a part of it, features or embeddings.
    """
    return OwnWords(
        sample_rate=source.sample_rate,
        window_samples=source.window_samples,
        heads=tuple(source.heads) if has_heads else (),
        made_by=made_by(),
    )
