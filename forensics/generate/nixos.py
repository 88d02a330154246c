"""Write the NixOS module of `watch`."""

from __future__ import annotations

from forensics.alerting.sinks import KINDS
from forensics.generate import nix_syntax
from forensics.generate.settings import DESCRIPTION, NAME, SETTINGS

OWN_FORM = {"ExecReload", "Environment"}  # settings that the module writes in its own way


def module_text() -> str:
    """Write services.tabby-forensics with the options package, units, sinks, learn, listen and environmentFile."""
    settings = "\n".join(f"        {name} = {_nix(value)};" for name, value in SETTINGS.items() if name not in OWN_FORM)
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
{_options()}

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


def _options() -> str:
    kinds = ", ".join(KINDS)
    return f"""\
  options.services.{NAME} = {{
    enable = lib.mkEnableOption "alerts on previously unseen failures of services";
    package = lib.mkOption {{
      type = lib.types.package;
      description = "The package with bin/{NAME}, built with its extra `live`.";
    }};
    units = lib.mkOption {{
      type = lib.types.listOf lib.types.str;
      default = [ "*" ];
      example = [ "tabbyapi.service" "vllm*.service" ];
      description = "Units to watch, as shell patterns.";
    }};
    learn = lib.mkOption {{
      type = lib.types.str;
      default = "30d";
      description = "How much history to read for known failures on the first start.";
    }};
    listen = lib.mkOption {{
      type = lib.types.nullOr lib.types.str;
      default = null;
      example = "127.0.0.1:9847";
      description = "HOST:PORT on which to serve metrics for Prometheus; null to serve none.";
    }};
    sinks = lib.mkOption {{
      type = lib.types.listOf toml.type;
      default = [ {{ type = "stdout"; }} ];
      example = [ {{ type = "ntfy"; url_env = "NTFY_URL"; }} ];
      description = "Where to send alerts. Types: {kinds}. Set secrets with <setting>_env or <setting>_file.";
    }};
    environmentFile = lib.mkOption {{
      type = lib.types.nullOr lib.types.path;
      default = null;
      description = "A file with the environment variables that sinks use, outside the Nix store.";
    }};
  }};"""


def _nix(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[ {' '.join(nix_syntax.string(element) for element in value)} ]"
    return str(value) if isinstance(value, int) else nix_syntax.string(str(value))
