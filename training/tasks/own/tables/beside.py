"""A folder of recordings with a label file beside each."""

import collections

from leaf_files.command_line import a_few
from leaf_files.errors import UserError
from leaf_files.walk import shown, walk
from training.tasks.own.tables.annotations import (
    columns_read,
    is_audacity,
    is_raven,
    read_audacity,
    read_raven,
    stem_of,
)
from training.tasks.own.tables.sheets import Row, Sheet, read_sheet, text_of

_WANTED = (
    "put beside each recording a label file of the same name, such as dawn.txt of "
    "Audacity or dawn.Table.1.selections.txt of Raven beside dawn.wav"
)


def read_beside(folder, columns):
    """The `Sheet` of all label files of a folder, at any depth.

    Args:
        folder: A Path.
        columns: `Columns` that are asked for.

    Returns:
        (`Sheet`, `Columns` to read it by, paths of the recordings that have a label
        file, lines on what can't be read).

    Raises:
        UserError: There are no recordings, or no label files.

    >>> from training.tasks.own.tables.columns import Columns
    >>> _ = Path("drums/kick/0.txt").write_text("0.02\\t0.06\\thit")
    >>> sheet, _, recordings, _ = read_beside(Path("drums/kick"), Columns())
    >>> [row.cells["label"] for row in sheet.rows], [path.name for path in recordings]
    (['hit'], ['0.wav'])
    """
    walked = walk(folder)
    if not walked.clips:
        raise UserError(
            f"the folder {folder} holds no recordings; "
            f"{walked.passed_over or walked.faults or _WANTED}"
        )
    files = _label_files(walked.clips)
    labelled = [path for path in walked.clips if files[path]]
    if not labelled:
        raise UserError(
            f"none of the {len(walked.clips)} recordings in {folder} has a label file; "
            f"{_WANTED}; or, if the folder has a subfolder of clips per class, name it "
            f"as folder:{folder}"
        )
    faults = [*walked.faults, *_of_several(labelled, files)]
    sheet = Sheet(folder, [], ())
    parts, read_by = [], columns
    for recording in labelled:
        for table in files[recording]:
            try:
                part, read_by = _read(table, recording, columns)
            except UserError as error:
                faults.append(str(error))
                continue
            sheet.columns += [c for c in part.columns if c not in sheet.columns]
            sheet.notes += [note for note in part.notes if note not in sheet.notes]
            parts.append((table.relative_to(folder).as_posix(), part))
    sheet.rows = _all_rows(parts, sheet.faults)
    sheet.notes += _notes(walked, files)
    return sheet, read_by, labelled, faults


def _label_files(recordings):
    """{recording: paths of its label files}."""
    of_folder = {folder: _by_stem(folder) for folder in {p.parent for p in recordings}}
    return {path: of_folder[path.parent].get(path.stem, []) for path in recordings}


def _by_stem(folder):
    """{name of a recording: paths of files called as its label files are}."""
    files = collections.defaultdict(list)
    for path in sorted(folder.iterdir()):
        stem = stem_of(path.name)
        if stem is not None and not path.name.startswith(".") and path.is_file():
            files[stem].append(path)
    return files


def _of_several(recordings, files):
    """A line on label files that may be of several recordings, a list."""
    recordings_of = collections.defaultdict(list)
    for recording in recordings:
        for table in files[recording]:
            recordings_of[table].append(recording.name)
    shared = [
        f"{table.name} of {' and '.join(names)}"
        for table, names in recordings_of.items()
        if len(names) > 1
    ]
    return shared and [
        f"{len(shared)} label files may be of several recordings, leave one of them "
        f"there: {a_few(shared)}"
    ]


def _read(table, recording, columns):
    """(`Sheet`, `Columns` to read it by) of a label file."""
    text = text_of(table)
    if is_raven(text):
        return read_raven(table, text, columns, recording)
    if is_audacity(text) or not text.strip():  # nothing was heard
        return read_audacity(table, text, recording), columns_read(columns)
    sheet = read_sheet(table, text)
    if columns.path is None and "path" not in sheet.columns:
        sheet.columns.append("path")
        sheet.rows = _named(sheet.rows, str(recording.absolute()))
    return sheet, columns


def _named(rows, path):
    for row in rows:
        yield Row(row.place, {**row.cells, "path": path})


def _all_rows(parts, faults):
    for name, part in parts:
        for row in part.rows:
            yield Row(f"{name}, {row.place}", row.cells)
        faults.add_all(part.faults, name)


def _notes(walked, files):
    """Lines on recordings without a label file, and on what is passed over."""
    without = [path for path in walked.clips if not files[path]]
    notes = []
    if without:
        named = a_few([shown(path.relative_to(walked.folder)) for path in without])
        notes.append(
            f"{len(without)} of its {len(walked.clips)} recordings have no label file, "
            f"and aren't used ({named})"
        )
    for table in {table for tables in files.values() for table in tables}:
        walked.others[table.suffix.lower()] -= 1
    walked.others = +walked.others
    if walked.passed_over:
        notes.append(walked.passed_over)
    return notes
