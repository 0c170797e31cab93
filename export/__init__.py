"""Turns a trained model into files that run without this package.

`python -m export RUN --output DIR` writes them, `python -m export predict
ARTIFACT CLIP` runs one. Importing `export` imports nothing else: a command
loads TensorFlow or the LiteRT interpreter when it needs one of them. README.md
beside this file has a line for each module.
"""
