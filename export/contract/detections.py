"""Forms of a table of events."""

TEXT, CSV, JSONL, RAVEN, AUDACITY = "text", "csv", "jsonl", "raven", "audacity"
FORMATS = (TEXT, CSV, JSONL, RAVEN, AUDACITY)
