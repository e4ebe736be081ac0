"""studyspec: on which of my micrographs can I trust this network?"""

__version__ = "0.1.0"
