"""What `listen` and `detect` go by where nothing else is said."""

# Score from which a label is detected that has no threshold of its own.
LISTEN_THRESHOLD = 0.7
DETECT_THRESHOLD = 0.5

# Forms of a table of events.
TEXT, CSV, JSONL, RAVEN, AUDACITY = "text", "csv", "jsonl", "raven", "audacity"
FORMATS = (TEXT, CSV, JSONL, RAVEN, AUDACITY)
