"""The architectures of networks, a file each."""
