"""Where images come from: what addresses of each scheme mean, a file for each source."""
