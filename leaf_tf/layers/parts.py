"""Layers made of layers: whether each part is trained is saved with the whole."""

import keras

_KEY = "trainable_parts"


class Composite(keras.layers.Layer):
    """A base of layers that make the layers within them.

    Keras saves `trainable` of a layer, not of layers that it makes for itself. Here the
    config tells what became of those after they were made, so that frozen parts are
    frozen in a saved, copied or cloned layer, too.

    A part that is made not to be trained has an attribute `made_trainable`, False.
    """

    def get_config(self):
        changed = {
            path: part.trainable
            for path, part in _parts(self).items()
            if part.trainable != getattr(part, "made_trainable", True)
        }
        config = super().get_config()
        return {**config, _KEY: changed} if changed else config

    @classmethod
    def from_config(cls, config):
        own = {name: value for name, value in config.items() if name != _KEY}
        layer = cls.from_own_config(own)
        parts = _parts(layer)
        # A part before those within it, as its own setting becomes theirs.
        changed = dict(sorted(config.get(_KEY, {}).items()))
        for path, trainable in changed.items():
            if path in parts:
                parts[path].trainable = trainable
        # Its weights are made by `build`.
        layer.frozen_weights = frozenset(path for path in changed if path not in parts)
        return layer

    @classmethod
    def from_own_config(cls, config):
        """The layer of a config that doesn't tell of its parts."""
        return super().from_config(config)


def _parts(layer):
    """{path: layer or weight} of the layers within, and of the layer's own weights."""
    found = {weight.name: weight for weight in layer._trainable_variables}
    waiting = [("", layer)]
    while waiting:
        path, holder = waiting.pop()
        for part in holder._layers:
            found[path + part.name] = part
            waiting.append((f"{path}{part.name}/", part))
    return found
