"""History for other programs: tables as files, Prometheus' formats, Loki. Log text is inert and without secrets, as in a report."""
