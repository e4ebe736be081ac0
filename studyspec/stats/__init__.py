"""Statistics: intervals, differences, and the judging of claims."""
