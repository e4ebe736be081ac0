"""The schedules of the learning rate, a file each."""
