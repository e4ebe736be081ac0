"""The report: charts and one offline page."""
