# tabby-forensics as a NixOS module: imports = [ ./tabby-forensics.nix ]; then services.tabby-forensics.enable = true.
{ config, lib, pkgs, ... }:
let
  cfg = config.services.tabby-forensics;
  toml = pkgs.formats.toml { };
  configuration = toml.generate "watch.toml" (
    { inherit (cfg) units learn; sink = cfg.sinks; } // lib.optionalAttrs (cfg.listen != null) { inherit (cfg) listen; }
  );
in
{
  options.services.tabby-forensics = {
    enable = lib.mkEnableOption "alerts on previously unseen failures of services";
    package = lib.mkOption {
      type = lib.types.package;
      description = "The package with bin/tabby-forensics, built with its extra `live`.";
    };
    units = lib.mkOption {
      type = lib.types.listOf lib.types.str;
      default = [ "*" ];
      example = [ "tabbyapi.service" "vllm*.service" ];
      description = "Units to watch, as shell patterns.";
    };
    learn = lib.mkOption {
      type = lib.types.str;
      default = "30d";
      description = "How much history to read for known failures on the first start.";
    };
    listen = lib.mkOption {
      type = lib.types.nullOr lib.types.str;
      default = null;
      example = "127.0.0.1:9847";
      description = "HOST:PORT on which to serve metrics for Prometheus; null to serve none.";
    };
    sinks = lib.mkOption {
      type = lib.types.listOf toml.type;
      default = [ { type = "stdout"; } ];
      example = [ { type = "ntfy"; url_env = "NTFY_URL"; } ];
      description = "Where to send alerts. Types: stdout, alertmanager, webhook, discord, slack, ntfy, command, loki. Set secrets with <setting>_env or <setting>_file.";
    };
    environmentFile = lib.mkOption {
      type = lib.types.nullOr lib.types.path;
      default = null;
      description = "A file with the environment variables that sinks use, outside the Nix store.";
    };
  };

  config = lib.mkIf cfg.enable {
    systemd.services.tabby-forensics = {
      description = "Alert on previously unseen failures of services";
      wantedBy = [ "multi-user.target" ];
      wants = [ "network-online.target" ];
      after = [ "network-online.target" "systemd-journald.service" ];
      environment = {
        XDG_STATE_HOME = "/var/lib";
        XDG_CONFIG_HOME = "/etc";
        POLARS_SKIP_CPU_CHECK = "1";
      };
      serviceConfig = {
        ExecStart = "${cfg.package}/bin/tabby-forensics watch --config ${configuration}";
        ExecReload = "${pkgs.coreutils}/bin/kill -HUP $MAINPID";
        Type = "notify";
        Restart = "on-failure";
        RestartSec = 5;
        TimeoutStopSec = 30;
        WatchdogSec = 60;
        DynamicUser = true;
        SupplementaryGroups = "systemd-journal";
        StateDirectory = "tabby-forensics";
        StateDirectoryMode = "0700";
        ConfigurationDirectory = "tabby-forensics";
        MemoryMax = "2G";
        OOMPolicy = "continue";
        UMask = "0077";
        AmbientCapabilities = "";
        CapabilityBoundingSet = "";
        DevicePolicy = "closed";
        LockPersonality = true;
        MemoryDenyWriteExecute = true;
        NoNewPrivileges = true;
        PrivateDevices = true;
        PrivateTmp = true;
        PrivateUsers = true;
        ProcSubset = "pid";
        ProtectClock = true;
        ProtectControlGroups = true;
        ProtectHome = true;
        ProtectHostname = true;
        ProtectKernelLogs = true;
        ProtectKernelModules = true;
        ProtectKernelTunables = true;
        ProtectProc = "invisible";
        ProtectSystem = "strict";
        RemoveIPC = true;
        RestrictAddressFamilies = [ "AF_UNIX" "AF_INET" "AF_INET6" ];
        RestrictNamespaces = true;
        RestrictRealtime = true;
        RestrictSUIDSGID = true;
        SystemCallArchitectures = "native";
        SystemCallFilter = [ "@system-service" "~@privileged" ];
        SystemCallErrorNumber = "EPERM";
      } // lib.optionalAttrs (cfg.environmentFile != null) { EnvironmentFile = cfg.environmentFile; };
    };
  };
}
