"""TFDS builders of data sets that TFDS lacks; importing a module registers its own."""
