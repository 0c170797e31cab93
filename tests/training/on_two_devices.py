"""Trains on one device and on two of this host; run by `devices_test`.

    python -m tests.training.on_two_devices FOLDER FRONTEND

The devices are logical ones of the CPU, which TensorFlow makes only before it starts:
so this is a process of its own. FOLDER holds the clips and an encoder; the runs are
written to it. The last line of the output is JSON.
"""

import json
import sys
from pathlib import Path

import tensorflow as tf

from leaf_files.errors import UserError
from tests.training.runs import small_config


def main(folder, frontend):
    [cpu] = tf.config.list_physical_devices("CPU")
    two = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(cpu, two)

    from training.evaluation import figures
    from training.fit.devices import Mirrored
    from training.fit.fitting import fit

    figures.draw_run = lambda *arguments: None
    config = small_config(
        folder / "clips",
        frontend=frontend,
        encoder=str(folder / "encoder.keras"),
        epochs=2,
        steps_per_epoch=4,
    )
    mirrored = Mirrored(config.batch_size)
    one = fit(config, folder / frontend / "one")
    both = fit(config, folder / frontend / "both", devices=mirrored)
    try:
        Mirrored(7)
    except UserError as error:
        refusal = str(error)
    found = {"n_devices": mirrored.n_devices, "one": one, "both": both}
    print(json.dumps({**found, "refusal": refusal}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
