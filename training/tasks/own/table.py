"""A task of the user's own: a table that names clips and their labels."""

import dataclasses
import os
from pathlib import Path

from leaf_files.command_line import a_few, note
from leaf_files.errors import UserError
from leaf_files.text import require_utf8
from training.tasks.background.sources import BackgroundSources
from training.tasks.own.listing import Listing
from training.tasks.own.tables.columns import Columns
from training.tasks.own.tables.reading import read_table
from training.tasks.own.task import Opening, OwnTask, refuse
from training.tasks.splits.splitting import Splitting

TABLE_PREFIX = "table:"
_COLUMN_MARK = "#"
# What a file that is meant to be a table is called.
_TABLE_SUFFIXES = (".csv", ".tsv", ".tab", ".jsonl", ".ndjson", ".txt")


@dataclasses.dataclass(frozen=True)
class TableTask(OwnTask):
    """The task `table:FILE` or `table:FILE#COLUMN`.

    FILE is read by `training.tasks.own.tables.reading.read_table`. The tasks of a run
    that are columns of one table have the same clips, in the same splits.

    Attributes:
        path: Path of the table, or of a folder of recordings with a label file beside
            each.
        column: Name of the label column; None for the one that is called so.
        columns: `Columns` of the others.
        together: Label columns of the run's tasks of this table, this one's among them.
        background: Name of the class of what nobody annotated, or None.
        window_seconds: Length of the clips of that class, seconds.
        metric: Main metric of the task.
        skip_bad_clips: Whether clips that can't be used are named and left out.
        splitting: `Splitting` by the settings of the run.
        opening: `Opening` by them.
        sources: `BackgroundSources` by them, or None.
        is_multi_label: Whether clips may have several labels, or none, in any case.

    >>> TableTask.of("notes.csv#family").name
    'table:notes.csv#family'
    """

    path: Path
    column: str | None = None
    columns: Columns = Columns()
    together: tuple[str | None, ...] = ()
    background: str | None = None
    window_seconds: float = 1.0
    metric: str = "accuracy, or mAP of several labels"
    skip_bad_clips: bool = False
    splitting: Splitting = Splitting()
    opening: Opening = Opening()
    sources: BackgroundSources | None = None
    is_multi_label: bool = False

    can_be_multi_label = True
    needs = "at least two labels"

    @classmethod
    def of(cls, name, config=None):
        """The task of a name.

        Args:
            name: Part of the task's name after `table:`.
            config: `FitConfig` of the run; None for the defaults.
        """
        path, column = split_name(name)
        task = cls(
            path,
            column,
            splitting=Splitting.of(config),
            opening=Opening.of(config),
            sources=BackgroundSources.of(config),
        )
        if config is None:
            return task
        names = [
            split_name(task_name.removeprefix(TABLE_PREFIX))
            for task_name in config.tasks
            if is_table(task_name)
        ]
        is_own = (path, column) in names
        return dataclasses.replace(
            task,
            columns=Columns(
                path=config.path_column,
                group=config.group_column,
                split=config.split_column,
                start=config.start_column,
                end=config.end_column,
                weight=config.weight_column,
                # Another table, to be tested on, may be called otherwise.
                may_lack=not is_own,
            ),
            together=tuple(c for p, c in names if p == path) if is_own else (),
            background=config.background_class,
            window_seconds=config.window_seconds,
            skip_bad_clips=config.skip_bad_clips,
            is_multi_label=config.multi_label,
        )

    @property
    def name(self):
        mark = "" if self.column is None else f"{_COLUMN_MARK}{self.column}"
        return f"{TABLE_PREFIX}{self.path}{mark}"

    @property
    def folder(self):
        """The folder of the table: names of clips are relative to it."""
        path = Path(os.path.abspath(self.path))
        return path if path.is_dir() else path.parent

    @property
    def tells_of_clips(self):
        return self.column == (self.together or (self.column,))[0]

    def is_kind_of(self, other):
        return super().is_kind_of(other) and self.column == other.column

    def listing(self, multi_label=None):
        """The `Listing` of the table.

        Args:
            multi_label: Whether clips may have several labels, or none; None for what
                the table says.
        """
        require_utf8(self.path)
        table = self._read(multi_label or self.is_multi_label or None)
        if table.faults:  # before clips are opened, which takes long
            self._refuse_rows(table)
        column, *others = table.columns.values()
        entries = table.entries(column.name)
        if others:
            entries = [
                dataclasses.replace(entry, balance=balance)
                for entry, balance in zip(entries, _balances([column, *others]))
            ]
        labels = column.labels
        # To have no label is enough.
        if column.multi_label and self.background in labels:
            labels = tuple(x for x in labels if x != self.background)
            entries = [
                dataclasses.replace(
                    entry, labels=tuple(x for x in entry.labels if x in labels)
                )
                for entry in entries
            ]
        return Listing(
            entries,
            labels,
            column.multi_label,
            self.background,
            bad=table.bad,
            annotated=table.annotated,
            warnings=table.warnings if self.tells_of_clips else (),
            notes=table.notes if self.tells_of_clips else (),
        )

    def tell_passed_over(self):
        """Says on stderr how the table is read, without reading clips.

        Says nothing of a table that can't be read.
        """
        try:
            listing = self.listing()
        except UserError:
            return
        for line in listing.notes:
            note(line)

    def _refuse_rows(self, table):
        """Raises all faults of a table, and what files it lacks, as one `UserError`."""
        faults = list(table.faults)
        if table.bad and not self.skip_bad_clips:
            faults.append(
                f"{len(table.bad)} of {table.n_rows} rows name a clip that can't be "
                f"used: {a_few(table.bad, between='; ')}"
            )
        refuse(faults, self.path)

    def _read(self, multi_label):
        others = [column for column in self.together if column != self.column]
        columns = dataclasses.replace(self.columns, label=(self.column, *others))
        return read_table(
            self.path, columns, self.background, self.window_seconds, multi_label
        )


def _balances(columns):
    """Labels that splits balance, of each clip: those of all columns of the run."""
    columns = sorted(columns, key=lambda column: column.name)
    for n in range(len(columns[0].of_clips)):
        yield tuple(
            f"{column.name}={label}"
            for column in columns
            for label in column.of_clips[n]
        )


def is_table(name):
    """Whether a task's name is that of a table.

    >>> is_table("table:notes.csv"), is_table("folder:drums")
    (True, False)
    """
    return name.startswith(TABLE_PREFIX) and name != TABLE_PREFIX


def split_name(name):
    """(path, label column or None) of what follows `table:` in a task's name.

    >>> split_name("/data/notes.csv#family")
    (PosixPath('/data/notes.csv'), 'family')
    """
    path, mark, column = name.rpartition(_COLUMN_MARK)
    if not mark or not path or not column or "/" in column or _exists(name):
        return Path(name).expanduser(), None
    return Path(path).expanduser(), column


def column_of(name):
    """The label column in the name of a table's task; None for the default one.

    >>> column_of("table:notes.csv#family"), column_of("table:notes.csv")
    ('family', None)
    """
    return split_name(name.removeprefix(TABLE_PREFIX))[1]


def looks_like_table(path):
    """Whether a file is called as tables are.

    Args:
        path: A Path, or a str.

    >>> Path("notes.csv").touch()
    >>> looks_like_table("notes.csv"), looks_like_table("drums")
    (True, False)
    """
    path = Path(path).expanduser()
    return path.suffix.lower() in _TABLE_SUFFIXES and path.is_file()


def _exists(name):
    return Path(name).expanduser().exists()
