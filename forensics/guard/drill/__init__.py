"""Let a sandboxed unit fail with recorded words, and measure how long each link of the alerting takes, up to the page."""
