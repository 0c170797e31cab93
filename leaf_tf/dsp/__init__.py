"""Pure functions on arrays: NumPy at design time, keras.ops at run time."""
