"""`watch` as a service: a systemd unit and a NixOS module with the same settings.

The sandbox leaves what `watch` needs: the journal (by group), its state folder, its configuration, the network for sinks and exporter.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from forensics.alerting.sinks import KINDS

NAME = "tabby-forensics"
DESCRIPTION = "Alerts on failures of services that nobody has seen"
SETTINGS: Mapping[str, str | int | bool | Sequence[str]] = {
    "Type": "notify",
    "ExecReload": "/bin/kill -HUP $MAINPID",
    "Restart": "on-failure",
    "RestartSec": 5,
    "TimeoutStartSec": "15min",  # a first run learns from history before it is ready
    "TimeoutStopSec": 30,
    "WatchdogSec": 60,
    "DynamicUser": True,
    "SupplementaryGroups": "systemd-journal",
    "StateDirectory": NAME,
    "StateDirectoryMode": "0700",
    "ConfigurationDirectory": NAME,
    # polars asks the CPU for its features through memory that it may write and execute, unless told not to
    "Environment": ["XDG_STATE_HOME=%S", "XDG_CONFIG_HOME=%E", "POLARS_SKIP_CPU_CHECK=1"],
    "MemoryMax": "2G",  # of the watching 0.2; a first run learns a day of history at a time
    "OOMPolicy": "continue",  # a learning that is too large is killed alone, and the watching goes on without it
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
_REPEATED = {"SystemCallFilter"}  # a list whose elements are lines of their own


def systemd(program: str, listen: str | None) -> str:
    """The text of tabby-forensics.service. program: how it is started; listen: HOST:PORT of the exporter."""
    command = f"{program} watch" + (f" --listen {listen}" if listen else "")
    lines = [
        f"# {NAME}.service: put it into /etc/systemd/system, the configuration into /etc/{NAME}/watch.toml.",
        "[Unit]",
        f"Description={DESCRIPTION}",
        "Wants=network-online.target",
        "After=network-online.target systemd-journald.service",
        "",
        "[Service]",
        f"ExecStart={command}",
        *(line for name, value in SETTINGS.items() for line in _lines(name, value)),
        "",
        "[Install]",
        "WantedBy=multi-user.target",
    ]
    return "\n".join(lines) + "\n"


def nix() -> str:
    """A NixOS module: services.tabby-forensics with package, units, sinks, learn, listen and environmentFile."""
    settings = "\n".join(
        f"        {name} = {_nix(value)};" for name, value in SETTINGS.items() if name not in {"ExecReload", "Environment"}
    )
    kinds = ", ".join(KINDS)
    return f"""# {NAME} as a NixOS module: imports = [ ./{NAME}.nix ]; then services.{NAME}.enable = true.
{{ config, lib, pkgs, ... }}:
let
  cfg = config.services.{NAME};
  toml = pkgs.formats.toml {{ }};
  configuration = toml.generate "watch.toml" (
    {{ inherit (cfg) units learn; sink = cfg.sinks; }} // lib.optionalAttrs (cfg.listen != null) {{ inherit (cfg) listen; }}
  );
in
{{
  options.services.{NAME} = {{
    enable = lib.mkEnableOption "alerts on failures that nobody has seen";
    package = lib.mkOption {{
      type = lib.types.package;
      description = "The package that has bin/{NAME}, built with its extra `live`.";
    }};
    units = lib.mkOption {{
      type = lib.types.listOf lib.types.str;
      default = [ "*" ];
      example = [ "tabbyapi.service" "vllm*.service" ];
      description = "Units to watch; shell patterns.";
    }};
    learn = lib.mkOption {{
      type = lib.types.str;
      default = "30d";
      description = "How far back a first run looks for known failures.";
    }};
    listen = lib.mkOption {{
      type = lib.types.nullOr lib.types.str;
      default = null;
      example = "127.0.0.1:9847";
      description = "HOST:PORT of the exporter for Prometheus; null for none.";
    }};
    sinks = lib.mkOption {{
      type = lib.types.listOf toml.type;
      default = [ {{ type = "stdout"; }} ];
      example = [ {{ type = "ntfy"; url_env = "NTFY_URL"; }} ];
      description = "Where alerts go. Types: {kinds}. Give secrets as <setting>_env or <setting>_file.";
    }};
    environmentFile = lib.mkOption {{
      type = lib.types.nullOr lib.types.path;
      default = null;
      description = "A file with the variables that sinks name, outside the Nix store.";
    }};
  }};

  config = lib.mkIf cfg.enable {{
    systemd.services.{NAME} = {{
      description = "{DESCRIPTION}";
      wantedBy = [ "multi-user.target" ];
      wants = [ "network-online.target" ];
      after = [ "network-online.target" "systemd-journald.service" ];
      environment = {{
        XDG_STATE_HOME = "/var/lib";
        XDG_CONFIG_HOME = "/etc";
        POLARS_SKIP_CPU_CHECK = "1";
      }};
      serviceConfig = {{
        ExecStart = "${{cfg.package}}/bin/{NAME} watch --config ${{configuration}}";
        ExecReload = "${{pkgs.coreutils}}/bin/kill -HUP $MAINPID";
{settings}
      }} // lib.optionalAttrs (cfg.environmentFile != null) {{ EnvironmentFile = cfg.environmentFile; }};
    }};
  }};
}}
"""


def _lines(name: str, value: object) -> list[str]:
    if name in _REPEATED and isinstance(value, list):
        return [f"{name}={each}" for each in value]
    if isinstance(value, list):
        return [f"{name}={' '.join(value)}"]
    return [f"{name}={ ({True: 'yes', False: 'no'}[value] if isinstance(value, bool) else value) }"]


def _nix(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[ {' '.join(json.dumps(each) for each in value)} ]"
    return str(value) if isinstance(value, int) else json.dumps(value)
