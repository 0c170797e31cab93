"""`python -m training` on one of several hosts, whose weights are kept.

    python -m tests.training.on_hosts WEIGHTS fit ... --distribute hosts ...

WEIGHTS is a .npz file, to which the weights of this host's model after training are
written: only the first host saves the model itself.
"""

import sys

import numpy as np

from leaf_files import command_line, quiet

if __name__ == "__main__":
    quiet.import_keras("jax")
    from training import __main__
    from training.fit import fitting

    train = fitting._train

    def train_and_keep(job, model, progress):
        train(job, model, progress)
        np.savez(sys.argv[1], *model.get_weights())

    fitting._train = train_and_keep
    sys.exit(command_line.run(__main__.dispatch, sys.argv[2:], "training"))
