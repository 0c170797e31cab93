"""Other runtimes, asked what an export was asked: see `export.runtimes.table`."""
