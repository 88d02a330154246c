"""The service settings of `watch`, shared by the systemd unit and the NixOS module.

The sandbox permits what `watch` needs: the journal (by group), its state directory, its configuration, the network for sinks and metrics.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

NAME = "tabby-forensics"
DESCRIPTION = "Alert on previously unseen failures of services"
SETTINGS: Mapping[str, str | int | bool | Sequence[str]] = {
    "Type": "notify",
    "ExecReload": "/bin/kill -HUP $MAINPID",
    "Restart": "on-failure",
    "RestartSec": 5,
    "TimeoutStopSec": 30,
    "WatchdogSec": 60,
    "DynamicUser": True,
    "SupplementaryGroups": "systemd-journal",
    "StateDirectory": NAME,
    "StateDirectoryMode": "0700",
    "ConfigurationDirectory": NAME,
    # without this, polars detects CPU features in memory that is writable and executable
    "Environment": ["XDG_STATE_HOME=%S", "XDG_CONFIG_HOME=%E", "POLARS_SKIP_CPU_CHECK=1"],
    "MemoryMax": "2G",  # `watch` itself needs 0.2; on its first start it reads history one day at a time
    "OOMPolicy": "continue",  # the process that reads history is killed alone, and `watch` continues without it
    "UMask": "0077",
    "AmbientCapabilities": "",
    "CapabilityBoundingSet": "",
    "DevicePolicy": "closed",
    "LockPersonality": True,
    "MemoryDenyWriteExecute": True,
    "NoNewPrivileges": True,
    "PrivateDevices": True,
    "PrivateTmp": True,
    "PrivateUsers": True,
    "ProcSubset": "pid",
    "ProtectClock": True,
    "ProtectControlGroups": True,
    "ProtectHome": True,
    "ProtectHostname": True,
    "ProtectKernelLogs": True,
    "ProtectKernelModules": True,
    "ProtectKernelTunables": True,
    "ProtectProc": "invisible",
    "ProtectSystem": "strict",
    "RemoveIPC": True,
    "RestrictAddressFamilies": ["AF_UNIX", "AF_INET", "AF_INET6"],
    "RestrictNamespaces": True,
    "RestrictRealtime": True,
    "RestrictSUIDSGID": True,
    "SystemCallArchitectures": "native",
    "SystemCallFilter": ["@system-service", "~@privileged"],
    "SystemCallErrorNumber": "EPERM",
}
