"""The steps of preparing an image, a file each."""
