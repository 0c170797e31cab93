"""Splits: at random, by groups, in folds, as given; and what leaks between them."""
