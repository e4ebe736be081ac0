"""The metrics, by what they need."""
