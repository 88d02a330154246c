"""Export history to other programs: tables as files, Prometheus' formats, Loki; log text is sanitized as in a report."""
