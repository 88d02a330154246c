"""Generate files for other programs: a systemd unit, a NixOS module, a Grafana dashboard."""
