"""The steps that can make probabilities of a model's output, by name."""

from leaf_files import run_folder

NO_STEP = "none"  # the outputs are probabilities already
ACTIVATIONS = (*run_folder.ACTIVATIONS, NO_STEP)
