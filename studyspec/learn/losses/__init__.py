"""The losses of a training, a file each."""
