"""Mixtures: long recordings with known events, made of clips and a background."""
