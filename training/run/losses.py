"""The losses of a training, on logits, of targets that are vectors."""

import keras
from keras import ops

FOCAL = "focal"


def make_loss(head, config):
    """The loss of a head by `FitConfig.loss`, as `compile` takes it.

    Args:
        head: A `Head`.
        config: A `FitConfig`.

    >>> from leaf_files.run_folder import Head
    >>> from training.settings.config import FitConfig
    >>> head = Head("drums", "drums", ("kick", "snare"), "softmax")
    >>> make_loss(head, FitConfig("drums", loss="focal")).gamma
    2.0
    """
    smoothing = config.label_smoothing
    if config.loss == FOCAL:
        return FocalLoss(head.multi_label, config.focal_gamma, smoothing)
    kind = (
        keras.losses.BinaryCrossentropy
        if head.multi_label
        else keras.losses.CategoricalCrossentropy
    )
    return kind(from_logits=True, label_smoothing=smoothing)


@keras.saving.register_keras_serializable("leaf_training")
class FocalLoss(keras.losses.Loss):
    """The focal loss: what is easy counts little.

        -(1 - p)^gamma log p

    p is the probability of the target. It has the values of Keras's
    `CategoricalFocalCrossentropy(alpha=1)` and `BinaryFocalCrossentropy`; but computed
    of logits it has a gradient where these have none, at targets that seem all but
    impossible (p < 1e-7), the hardest of all.

    Args:
        multi_label: Whether each class is judged by itself, by its sigmoid; their mean
            is the loss.
        gamma: Exponent, at least 0; 0 gives cross-entropy.
        label_smoothing: Share of each target that is spread evenly: over all classes,
            or of several labels over yes and no.
        **kwargs: Arguments of `keras.losses.Loss`.

    Input shape: targets and logits, (batch, n_classes).

    Source: arXiv:1708.02002, Sec. 3.

    >>> loss = FocalLoss(multi_label=False, gamma=2.0)
    >>> round(float(loss(np.eye(1, 2), np.zeros((1, 2)))), 4)  # 0.25 log 2
    0.1733
    """

    def __init__(self, multi_label, gamma=2.0, label_smoothing=0.0, **kwargs):
        super().__init__(**{"name": FOCAL, **kwargs})
        self.multi_label = multi_label
        self.gamma = gamma
        self.label_smoothing = label_smoothing

    def call(self, y_true, y_pred):
        """The loss of each example, (batch,)."""
        targets = ops.cast(y_true, y_pred.dtype)
        smoothing = self.label_smoothing
        if self.multi_label:
            targets = targets * (1 - smoothing) + smoothing / 2
            log_yes, log_no = ops.log_sigmoid(y_pred), ops.log_sigmoid(-y_pred)
            yes, no = ops.exp(log_yes), ops.exp(log_no)
            # The probability of what isn't the target.
            miss = targets * no + (1 - targets) * yes
            entropy = -targets * log_yes - (1 - targets) * log_no
            return ops.mean(self._weight(miss) * entropy, axis=-1)
        targets = targets * (1 - smoothing) + smoothing / targets.shape[-1]
        log_p = ops.log_softmax(y_pred)
        weights = self._weight(-ops.expm1(log_p))
        return ops.sum(-targets * weights * log_p, axis=-1)

    def _weight(self, miss):
        # Away from 0, where a power below 1 has no finite gradient.
        return ops.power(ops.maximum(miss, keras.config.epsilon()), self.gamma)

    def get_config(self):
        return {
            **super().get_config(),
            "multi_label": self.multi_label,
            "gamma": self.gamma,
            "label_smoothing": self.label_smoothing,
        }
