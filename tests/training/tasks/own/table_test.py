import numpy as np
import pytest

from leaf_files.clips import write_clip
from leaf_files.errors import UserError
from training.commands.arguments import fit_config, make_parser, with_columns
from training.run.data_checks import is_moved
from training.settings.config import FitConfig
from training.tasks.own.table import TableTask
from training.tasks.registry import get_task, get_tasks

RATE = 8000


@pytest.fixture
def notes(tmp_path):
    """A table of 60 clips by 10 players: two families, two pitches."""
    random = np.random.default_rng(0)
    rows = ["file,family,pitch,player"]
    (tmp_path / "clips").mkdir()
    for n in range(60):
        name = f"clips/{n:02d}.wav"
        write_clip(tmp_path / name, random.uniform(-0.5, 0.5, 80), RATE)
        rows.append(f"{name},{'reed' if n % 2 else 'brass'},{31 + n % 3},p{n // 6}")
    path = tmp_path / "notes.csv"
    path.write_text("\n".join(rows))
    return path


def config_of(*arguments):
    return fit_config(make_parser().parse_args(["fit", "--output", "r", *arguments]))


def names(clip_set):
    return [clip.file for clip in clip_set.clips]


def test_columns_of_one_table_are_tasks_that_share_a_split(notes):
    config = config_of(
        *("--task", f"table:{notes}", "--label-column", "family,pitch"),
        *("--group-column", "player"),
    )
    family, pitch = get_tasks(config)
    assert (family.name, pitch.name) == (
        f"table:{notes}#family",
        f"table:{notes}#pitch",
    )
    families, pitches = family.load(seed=1), pitch.load(seed=1)
    assert families.labels == ("brass", "reed")
    assert pitches.labels == ("31", "32", "33")
    for split, clips in families.splits.items():
        assert names(clips) == names(pitches.splits[split])
        listed = clips.clips[0]
        number = int(listed.file[6:8])
        assert listed.label == ("reed" if number % 2 else "brass")
        assert clips.groups[0] == f"p{number // 6}"
    groups = [set(clips.groups) for clips in families.splits.values()]
    assert len(set.union(*groups)) == sum(map(len, groups)) == 10


def test_segments_are_cut_out_and_weighed(tmp_path):
    waveform = np.round(np.linspace(-1, 1, 3 * RATE) * 32767) / 32768
    rows = ["path,start,end,label,weight,split"]
    for n, split in enumerate(("train", "dev", "test")):
        write_clip(tmp_path / f"{n}.wav", waveform * (n + 1) / 3, RATE)
        rows += [f"{n}.wav,0.5,1.25,a|b,2,{split}", f"{n}.wav,1.25,,,,{split}"]
    path = tmp_path / "events.csv"
    path.write_text("\n".join(rows))
    data = TableTask(path).load()
    assert data.multi_label and data.labels == ("a", "b")
    first, second = data.splits["test"].dataset(RATE).as_numpy_iterator()
    whole = np.round(waveform * 32768) / 32768
    np.testing.assert_allclose(first["waveform"], whole[4000:10000], atol=1e-4)
    np.testing.assert_allclose(second["waveform"], whole[10000:], atol=1e-4)
    assert [*first["label"], first["weight"]] == [1, 1, 2]
    assert [*second["label"], second["weight"]] == [0, 0, 1]
    assert first["clip"] == b"2.wav@0.5-1.25"


def test_ends_after_the_recording_are_cut_and_named_but_for_rounding(tmp_path, capsys):
    rows = ["path,start,end,label"]
    for n, end in enumerate(("9", "1.009", "1")):
        noise = np.random.default_rng(n).uniform(-0.5, 0.5, RATE)
        write_clip(tmp_path / f"{n}.wav", noise, RATE)
        rows.append(f"{n}.wav,0.5,{end},a")
    path = tmp_path / "events.csv"
    path.write_text("\n".join(rows))
    clips = TableTask(path).load_all(["a"])
    assert [len(c["waveform"]) for c in clips.dataset(RATE).as_numpy_iterator()] == (
        [RATE // 2] * 3
    )
    assert (
        "1 of 3 clips end after their recordings do, and are cut there (events.csv, "
        "line 2)" in capsys.readouterr().err
    )


def test_all_of_a_table_for_a_model_that_knows_its_labels(notes):
    task = TableTask(notes, "family")
    clips = task.load_all(["reed", "brass", "wren"])
    assert clips.n_examples == 60 and list(clips.read_labels()[:2]) == [1, 0]
    several = task.load_all(["brass", "reed"], multi_label=True)
    assert several.read_labels()[:2].tolist() == [[1, 0], [0, 1]]
    with pytest.raises(UserError, match="classes that the model doesn't know: reed"):
        task.load_all(["brass"])
    notes.write_text("file,family\nclips/00.wav,brass|reed\n")
    with pytest.raises(UserError, match="have several labels, and the model gives one"):
        task.load_all(["brass", "reed"], multi_label=False)


def test_a_table_that_the_run_is_not_of_may_lack_its_columns(notes):
    config = FitConfig(f"table:{notes}#family", group_column="player")
    other = notes.with_name("other.csv")
    other.write_text("file,family\nclips/00.wav,brass\n")
    assert get_task(f"table:{other}#family", config).load_all(["brass"]).n_examples == 1
    notes.write_text(other.read_text())
    with pytest.raises(
        UserError, match="no column 'player': name it by --group-column"
    ):
        get_tasks(config)[0].load()


def test_all_faults_are_one_line(notes):
    notes.write_text(
        "path,label,start\nclips/00.wav,a,1\nclips/01.wav,,x\ngone.wav,b,\n"
    )
    with pytest.raises(UserError) as error:
        TableTask(notes).load()
    assert str(error.value) == (
        f"{notes} can't be used: (1) 1 row with a start that is no number (line 3: "
        "'x'): write a number, such as 1.5; (2) 1 row with no label in the column "
        "'label' (line 3): fill it in, or remove the row; (3) 1 of 3 rows name a clip "
        "that can't be used: line 4: there is no file 'gone.wav' (paths are relative "
        f"to the table's folder, {notes.parent})"
    )


def test_background_of_several_labels_is_no_label(tmp_path):
    rows = ["path,start,end,label"]
    for n in range(3):
        write_clip(tmp_path / f"{n}.wav", np.zeros(2 * RATE), RATE)
        rows += [f"{n}.wav,0,0.5,a|b", f"{n}.wav,0.5,1,b"]
    path = tmp_path / "events.csv"
    path.write_text("\n".join(rows))
    listing = TableTask(path, background="noise").listing()
    assert (listing.labels, listing.background) == (("a", "b"), "noise")
    assert [e.labels for e in listing.entries if e.start == 1] == [(), (), ()]


def test_names_of_tables(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a#b.csv").touch()
    assert get_task("table:a#b.csv").column is None
    assert get_task("table:a#b.csv#c").column == "c"
    assert get_task("table:C#/clips.csv").column is None
    for wrong in ("a#b.csv", "Table:a#b.csv"):
        with pytest.raises(UserError, match=r"\(did you mean table:a#b.csv\?\)"):
            get_task(wrong)
    config = config_of("--task", "table:a#b.csv", "--label-column", "c, d")
    assert config.task == f"table:{tmp_path}/a#b.csv#c,table:{tmp_path}/a#b.csv#d"


def test_columns_are_of_tables():
    assert with_columns("x,table:t.csv,table:u.csv#d", ("c",)) == (
        "x,table:t.csv#c,table:u.csv#d"
    )
    with pytest.raises(UserError, match="Received: --task folder:x"):
        with_columns("folder:x", ("c",))


def test_a_table_that_was_moved(tmp_path):
    here = tmp_path / "here.csv"
    here.touch()
    gone = f"table:{tmp_path}/gone.csv#a"
    assert is_moved(gone, f"table:{here}#a")
    assert not is_moved(gone, f"table:{here}#b")
    assert not is_moved(f"table:{here}#a", gone)
    assert not is_moved(gone, f"folder:{tmp_path}")


@pytest.mark.parametrize(
    "settings, said",
    [
        ({"group_column": "kit"}, "--group-column is for a table"),
        (
            {"background_class": "none", "start_column": "t"},
            "--start-column and --background-class are for a table",
        ),
    ],
)
def test_columns_need_a_table(settings, said):
    with pytest.raises(UserError) as raised:
        get_tasks(FitConfig("folder:clips,synthetic", **settings))
    rest = "--task table:FILE. Received: --task folder:clips,synthetic"
    assert str(raised.value) == f"{said}, {rest}"
    assert len(get_tasks(FitConfig("folder:clips,table:a.csv", **settings))) == 2


def test_a_table_of_missing_files_says_so(notes):
    notes.write_text("path,label\ngone.wav,a\ngone_too.wav,b\n")
    with pytest.raises(UserError) as raised:
        TableTask(notes).load()
    said = str(raised.value)
    assert "has no classes; a classifier needs at least two labels" in said
    assert "2 of 2 clips can't be used: " in said
    assert "gone.wav" in said and "gone_too.wav" in said
