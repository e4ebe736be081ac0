"""Slurm: its settings, its commands, the script of a worker's task, and what runs on the nodes."""
