"""The augmentations of training samples, a file each."""
