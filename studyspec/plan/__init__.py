"""From a study and what is known to an ordered list of jobs with reasons; pure."""
