"""What is exported: a model, its heads, and the clips that it is measured on."""
