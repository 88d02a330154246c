"""Read Prometheus rule files and judge whether their selectors can ever match."""
