"""The command lines: a parser of each in `arguments`, and a module of its name."""
