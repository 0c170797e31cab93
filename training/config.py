"""The settings of a run: one frozen record, saved beside the model."""

import dataclasses
import json

from files.errors import UserError


@dataclasses.dataclass(frozen=True)
class FitConfig:
    """All that a training run depends on, besides the data itself.

    Attributes:
        task: A registered name or "folder:PATH".
        frontend: A name in `leaf_tf.frontends.FRONTENDS`.
        encoder: A name in `leaf_tf.encoders.ENCODERS`.
        n_filters: Of the frontend.
        sample_rate: Of the model's waveforms, Hz; clips are resampled to it.
        window_seconds: Length of a training window and of one evaluation
            window.
        epochs: Passes over the training clips.
        steps_per_epoch: Batches in an epoch; None for one pass over the clips.
        batch_size: Windows in a batch.
        learning_rate: Of Adam at its highest; falls to 0 as a cosine.
        seed: Of the split, the weights and the windows.
        data_dir: Where TFDS keeps its data; None for TFDS's own default.
    """

    task: str
    frontend: str = "leaf"
    encoder: str = "small"
    n_filters: int = 40
    sample_rate: int = 16000
    window_seconds: float = 1.0
    epochs: int = 20
    steps_per_epoch: int | None = None
    batch_size: int = 32
    learning_rate: float = 1e-3
    seed: int = 0
    data_dir: str | None = None

    @property
    def window_samples(self):
        """Samples in a window."""
        return max(1, round(self.window_seconds * self.sample_rate))

    def to_dict(self):
        """For `config.json`."""
        return dataclasses.asdict(self)

    @classmethod
    def read(cls, path):
        """The settings that an earlier run saved.

        Raises:
            UserError: The file is missing, damaged, or holds other settings.
        """
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            return cls(**values)
        except (OSError, UnicodeDecodeError, ValueError, TypeError) as error:
            raise UserError(
                f"cannot read the settings in {path}: {error}; name a folder that "
                "`python -m training fit` wrote"
            ) from error
