"""Each format: write it, open it as its users do, say what is inside."""

import dataclasses

from export.flatbuffer import read_graph
from export.layout import SAVED_MODEL, TFLITE, VERSION
from export.litert_runner import LiteRTRunner
from export.saved_model import folder_bytes, saved_model_ops, write_saved_model
from export.saved_model_runner import SavedModelRunner
from export.tflite import write_tflite


@dataclasses.dataclass(frozen=True)
class Artifact:
    """One written artifact.

    Attributes:
        path: In the artifact folder, with "/".
        runner: Runs it, by `probabilities`.
        description: dict for the report: its bytes and operators.
    """

    path: str
    runner: object
    description: dict


def make_saved_model(source, folder):
    """Writes and opens `saved_model/1/`; the labels are in `folder` already."""
    place = folder / SAVED_MODEL / VERSION
    write_saved_model(source, place, folder)
    runner = SavedModelRunner(place)
    return Artifact(
        path=f"{SAVED_MODEL}/{VERSION}",
        runner=runner,
        description={
            "bytes": folder_bytes(place),
            "ops": saved_model_ops(runner.signature),
        },
    )


def make_tflite(source, folder):
    """Writes and opens `model.tflite`."""
    place = folder / TFLITE
    write_tflite(source, place)
    graph = read_graph(place)
    return Artifact(
        path=TFLITE,
        runner=LiteRTRunner(place),
        description={
            "bytes": place.stat().st_size,
            "ops": graph.ops,
            "unfolded_ops": graph.unfolded_ops,
            "subgraphs": graph.n_subgraphs,
        },
    )


MAKERS = {"saved_model": make_saved_model, "tflite": make_tflite}
