"""The charts that a study has if it asks for them, a file each."""
