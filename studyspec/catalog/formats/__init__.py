"""The formats of image files, a reader each."""
