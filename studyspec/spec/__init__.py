"""What the user writes: study files as frozen values, and identity."""
