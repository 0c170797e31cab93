"""The streaming models for microcontrollers."""
