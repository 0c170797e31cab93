"""The paper's formulas in float64 NumPy, slow and plain; imports nothing of ours."""
