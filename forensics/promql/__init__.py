"""Evaluate PromQL over step series exactly as Prometheus 2 and 3 do."""
