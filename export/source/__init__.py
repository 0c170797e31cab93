"""The source of an export: a model, its heads, and the clips that it is measured on."""
