"""`python -m benchmarks runtimes`: one model through every runtime, beside Keras."""
