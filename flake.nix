{
  description = "Why systemd services crash and restart: journald history to an incident report";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { self, nixpkgs }:
    let
      inherit (nixpkgs) lib;
      name = "tabby-forensics";
      wheels = lib.importJSON ./packaging/wheels.json;
      forEachSystem = build: lib.genAttrs (lib.attrNames wheels) (system: build nixpkgs.legacyPackages.${system});

      # The libraries at the versions that the tests ran with: the projects' own wheels, whose ELF files get Nix's loader and libraries.
      libraries =
        pkgs:
        pkgs.stdenv.mkDerivation {
          pname = "${name}-libraries";
          version = "1";
          srcs = map (
            wheel:
            pkgs.fetchPypi {
              inherit (wheel) pname version python abi platform hash;
              format = "wheel";
              dist = wheel.python;
            }
          ) wheels.${pkgs.stdenv.hostPlatform.system};
          nativeBuildInputs = [ pkgs.autoPatchelfHook pkgs.unzip ];
          buildInputs = [ pkgs.stdenv.cc.cc.lib pkgs.zlib ];
          dontUnpack = true;
          dontStrip = true;
          installPhase = ''
            runHook preInstall
            mkdir -p $out/${pkgs.python313.sitePackages}
            for wheel in $srcs; do
              unzip -q -o "$wheel" -d $out/${pkgs.python313.sitePackages}
            done
            runHook postInstall
          '';
        };

      package =
        pkgs:
        let
          python = pkgs.python313;
        in
        python.pkgs.buildPythonApplication {
          pname = name;
          version = lib.head (builtins.match ".*__version__ = \"([^\"]+)\".*" (lib.readFile ./forensics/__init__.py));
          pyproject = true;
          src = lib.fileset.toSource {
            root = ./.;
            fileset = lib.fileset.unions [
              ./forensics
              ./patterns
              ./reports
              ./README.md
              ./LICENSE
              ./hatch_build.py
              ./pyproject.toml
            ];
          };
          build-system = [ python.pkgs.hatchling ];
          dependencies = [ python.pkgs.systemd-python ]; # the extra `live`, with which `watch` follows the journal
          dontCheckRuntimeDeps = true; # they are in the libraries above
          doCheck = false;
          makeWrapperArgs = [ "--prefix PYTHONPATH : ${libraries pkgs}/${python.sitePackages}" ];
          doInstallCheck = true;
          installCheckPhase = ''
            $out/bin/${name} patterns check
          '';
          meta = {
            description = "Find out why systemd services crash and restart";
            license = lib.licenses.mit;
            platforms = lib.attrNames wheels;
            mainProgram = name;
          };
        };
    in
    {
      packages = forEachSystem (pkgs: {
        default = package pkgs;
      });

      apps = forEachSystem (pkgs: {
        default = {
          type = "app";
          program = lib.getExe (package pkgs);
        };
      });

      devShells = forEachSystem (pkgs: {
        default = pkgs.mkShell {
          packages = [
            pkgs.gcc
            pkgs.gnumake
            pkgs.nodejs
            pkgs.pkg-config
            pkgs.python313
            pkgs.systemd
          ];
          # wheels that pip puts into .venv look for these
          LD_LIBRARY_PATH = lib.makeLibraryPath [ pkgs.stdenv.cc.cc.lib pkgs.zlib ];
        };
      });

      # services.tabby-forensics: what `tabby-forensics generate nix` writes, with this flake's package as the default.
      nixosModules.default =
        { pkgs, ... }:
        {
          imports = [ ./packaging/nixos-module.nix ];
          services.tabby-forensics.package = lib.mkDefault self.packages.${pkgs.stdenv.hostPlatform.system}.default;
        };
    };
}
