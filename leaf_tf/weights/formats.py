"""The variables of each implementation: their names, and which weights they hold."""

import dataclasses
from collections.abc import Callable, Mapping

from leaf_tf.weights import efficient_leaf


def _unchanged(values, layer):
    return values


@dataclasses.dataclass(frozen=True)
class Format:
    """How an implementation keeps the weights of a frontend.

    Attributes:
        arguments: Arguments of the layer that computes what the implementation does.
        names: Our name of a weight -> the implementation's, as it is written. What
            is read may stand in another scope. "kernel" holds two columns,
            center_freqs and sigmas.
        other_names: Our name -> another name that is read, too.
        ignored: Names of what says nothing new.
        from_source, to_source: Functions from {our name: its array} and the layer to
            the same with our numbers, and back.
    """

    arguments: Mapping
    names: Mapping
    other_names: Mapping = dataclasses.field(default_factory=dict)
    ignored: tuple = ()
    from_source: Callable = _unchanged
    to_source: Callable = _unchanged


# leaf-audio's fixed moving average is a recurrent network of diagonal kernels: s, and
# 1 - s.
FIXED_AVERAGE = "simple_rnn_cell/kernel"

_AS_OFFICIAL = {"pooling_padding": "same", "pooling_bias": False}
_AS_TORCH = {"pooling_padding": "symmetric", "pooling_bias": True}
_NO_EXTRAS = {"preemp": False, "mean_var_norm": False}

# By the source's name and what our layer is `published_as`.
FORMATS = {
    ("leaf-audio", "Leaf"): Format(
        _AS_OFFICIAL,
        {
            "kernel": "kernel",
            "widths": "leaf/learnable_pooling/kernel",
            "taps": "leaf/tfbanks_preemp/kernel",
            "alpha": "leaf/PCEN/alpha",
            "delta": "leaf/PCEN/delta",
            "root": "leaf/PCEN/root",
            "smooth_coef": "leaf/PCEN/EMA/smooth",
            "gamma": "leaf/tfbanks_instancenorm/gamma",
            "beta": "leaf/tfbanks_instancenorm/beta",
        },
        other_names={
            "kernel": "tfbanks_complex_conv/kernel",
            "smooth_coef": FIXED_AVERAGE,
        },
        ignored=("simple_rnn_cell/recurrent_kernel",),
    ),
    ("leaf-pytorch", "Leaf"): Format(
        {**_AS_TORCH, **_NO_EXTRAS},
        {
            "kernel": "_complex_conv._kernel",
            "widths": "_pooling.weights",
            "bias": "_pooling._bias",
            "alpha": "_compression.alpha",
            "delta": "_compression.delta",
            "root": "_compression.root",
            "smooth_coef": "_compression.ema._weights",
        },
    ),
    ("speechbrain", "Leaf"): Format(
        {**_AS_TORCH, **_NO_EXTRAS},
        {
            "kernel": "complex_conv.kernel",
            "widths": "pooling.weights",
            "bias": "pooling._bias",
            "alpha": "compression.alpha",
            "delta": "compression.delta",
            "root": "compression.root",
            "smooth_coef": "compression.ema._weights",
        },
    ),
    ("efficientleaf", "Leaf"): Format(
        {**_AS_TORCH, "pooling_bias": False, **_NO_EXTRAS},
        {
            "center_freqs": "filterbank.center_freqs",
            "sigmas": "filterbank.bandwidths",
            "widths": "filterbank.pooling_widths",
            "alpha": "compression.alpha",
            "delta": "compression.delta",
            "root": "compression.r",
            "smooth_coef": "compression.s",
        },
        from_source=efficient_leaf.pcen_from_source,
    ),
    ("efficientleaf", "EfficientLeaf"): Format(
        {
            "compression": "log1p",
            "median_subtraction": True,
            "temporal_batch_norm": True,
            **_NO_EXTRAS,
        },
        {
            "center_freqs": "filterbank.center_freqs",
            "sigmas": "filterbank.bandwidths",
            "widths": "filterbank.pooling_widths",
            "a": "compression.log1p.a",
            "batch_gamma": "compression.TBN.bn.weight",
            "batch_beta": "compression.TBN.bn.bias",
            "moving_mean": "compression.TBN.bn.running_mean",
            "moving_variance": "compression.TBN.bn.running_var",
        },
        ignored=("compression.TBN.bn.num_batches_tracked",),
        from_source=efficient_leaf.grouped_from_source,
        to_source=efficient_leaf.grouped_to_source,
    ),
    ("audax", "Leaf"): Format(
        {**_AS_OFFICIAL, **_NO_EXTRAS},
        {
            "kernel": "complex_conv/gabor_kernel",
            "widths": "pooling/kernel",
            "alpha": "compression/alpha",
            "delta": "compression/delta",
            "root": "compression/root",
            "smooth_coef": "compression/ExponentialMovingAverage_0/smooth",
        },
    ),
}
SOURCES = tuple(dict.fromkeys(source for source, _ in FORMATS))
