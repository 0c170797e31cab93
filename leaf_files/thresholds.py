"""What labels without a threshold of their own are detected from."""

LISTEN_THRESHOLD = 0.7
DETECT_THRESHOLD = 0.5
