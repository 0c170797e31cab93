"""The page on the artifact folder names all that is in one."""

import dataclasses
import json

from export.contract.checksums import checksum
from export.contract.layout import refuse_foreign_files
from export.tflite_format.stream_facts import StreamFacts
from leaf_files.atomic import write_json
from tests import pages

PAGE = "artifact_folder.md"
OF_ARTIFACTS = "artifacts in report.json"


def test_files(exported, tmp_path):
    names = [name.split("/")[0] for name in pages.named(PAGE, "The artifact folder")]
    assert [path.name for path in exported.iterdir() if path.name not in names] == []
    for name in names:
        (tmp_path / name).touch()
    # These two have to be as an export wrote them.
    known = {name: checksum(tmp_path / name) for name in ("README.md", "listen.py")}
    write_json(tmp_path / "report.json", {"files": known})
    refuse_foreign_files(tmp_path)  # raises of what no export writes


def test_keys(exported):
    report = json.loads((exported / "report.json").read_text())
    assert pages.unnamed(report, pages.named(PAGE, "report.json")) == []
    names = pages.named(PAGE, OF_ARTIFACTS)
    for artifact in report["artifacts"].values():
        assert pages.unnamed(artifact, names) == [], artifact["path"]
    probes = json.loads((exported / "probes.json").read_text())
    assert pages.unnamed(probes, pages.named(PAGE, "probes.json")) == []


def test_keys_of_streams():
    facts = {field.name: 0 for field in dataclasses.fields(StreamFacts)}
    names = pages.named(PAGE, OF_ARTIFACTS)
    assert pages.unnamed({"stream": facts}, names) == []
