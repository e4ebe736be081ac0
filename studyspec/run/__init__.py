"""The workers that do jobs, the engines that start workers, and the runner."""
