"""Settings that go together, by name."""

# The paper's protocol (arXiv:2101.08596, Sec. 4.1): EfficientNet-B0, Adam at a rate
# of 1e-4, 1M batches of 256 windows of 1 s. That it may end earlier, and that an epoch
# is 1000 batches, whatever the number of clips, is ours.
_PAPER = {
    "frontend": "leaf_paper",
    "encoder": "efficientnet_b0",
    "n_filters": 40,
    "sample_rate": 16000,
    "window_seconds": 1.0,
    "batch_size": 256,
    "learning_rate": 1e-4,
    "schedule": "constant",
    "epochs": 1000,
    "steps_per_epoch": 1000,
    "patience": 50,
}

# Few clips: steps in plenty, windows that differ in loudness and place, and no
# SpecAugment, which takes from a small model more than it gives.
_FEW_CLIPS = {
    "encoder": "small",
    "batch_size": 16,
    "epochs": 40,
    "steps_per_epoch": 50,
    "gain": (-6.0, 6.0),
    "time_shift": 0.05,
}

# A small model for noisy places, of many clips.
_PHONE = {
    "encoder": "small",
    "n_filters": 40,
    "sample_rate": 16000,
    "spec_augment": True,
    "noise_snr": (5.0, 30.0),
}

PRESETS = {"few_clips": _FEW_CLIPS, "paper": _PAPER, "phone": _PHONE}
