"""The units of the remedies' lab: services whose gates open, what their user declared against it, and a model that needs memory."""

from tests.lab.gate_units import ABI, APP, note, service
from tests.lab.program import WRAPPER

MODEL = """#!/bin/sh
echo "Loading model: $MODEL, odd: $ODD"
[ "$MODEL" = 14b ] && exec sleep inf
echo "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 23.65 GiB" >&2
exit 1
"""
NVIDIA = "#!/bin/sh\necho 0, GPU-aaaa, 80000\n"
PROGRAMS = {"tabby-forensics": WRAPPER, "app": APP, "model": MODEL, "nvidia-smi": NVIDIA}
ODD = "a\"b$c%d `x` \\ #;'"
PROFILES = [f"{name}:{gib}:MODEL={name},ODD={ODD}" for name, gib in (("70b-32k", 40), ("70b-8k", 24), ("14b", 10.5))]
REMEDIES = {
    "helped": ("echo ok > /run/helped", ""),
    "failing": ("exit 7", ""),
    "hanging": ("sleep inf", 'within = "1s"\n'),
    "killed": ("sleep 2", ""),
}
GATED = ("helped", "failing")  # the remedies of the others are started as their gate would


def oneshot(command):
    return f"[Service]\nType=oneshot\nExecStart=/bin/sh -c 'echo STARTED; {command}'\n"


def declared(unit, start=None, more=""):
    return f'[[remedy]]\nclass = "torch.*"\nunit = "{unit}.service"\nstart = "{start or f"{unit}-remedy"}.service"\nheld = "1s"\n{more}'


UNITS = {
    **{f"{unit}.service": service(f"/lab/app /run/{unit}", note("--cooldown 15 --held 2") if unit in GATED else None) for unit in REMEDIES},
    **{f"{unit}-remedy.service": oneshot(command) for unit, (command, _) in REMEDIES.items()},
    "page@.service": "[Service]\nType=oneshot\nExecStart=/bin/true\n",
    "model.service": "[Unit]\nStartLimitIntervalSec=0\n[Service]\nRestart=on-failure\nRestartSec=100ms\n"
    "Environment=PYTHONPATH=/broken PYTHONHOME=/broken CUDA_VISIBLE_DEVICES=GPU-aaaa\nUser=nobody\nExecStart=/lab/model\n",
    "simple.service": "[Service]\nExecStart=/bin/true\n",
    "again.service": f"[Service]\nType=oneshot\nRestart=on-failure\nExecStart=/bin/true\n# {ABI}\n",
    "kept.service": "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n",
    "back.service": "[Unit]\nWants=between.service\n[Service]\nType=oneshot\nExecStart=/bin/true\n",
    "between.service": "[Unit]\nRequires=helped.service\n[Service]\nExecStart=/bin/true\n",
}
DECLARED = "".join(declared(unit, more=more) for unit, (_, more) in REMEDIES.items())
UNSOUND = "".join(declared("helped", start).replace("torch.*", start) for start in ("simple", "again", "kept", "back", "absent", "helped"))
