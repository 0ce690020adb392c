"""The machine that a benchmark runs on, and the programs on it: what it is, and how they are built and installed."""

import functools
import os
import pathlib
import platform
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
PEERS = HERE / "peers"
# Where the package of each of our products is, in a revision's root.
PRODUCTS = {"captioner": ".", "captioner-benchmarks": "tools/benchmarks"}
# How two processes are started that share the work.
PAIR = ["mpirun", "--oversubscribe", "--allow-run-as-root", "--bind-to", "none", "-np", "2"]
ROOT = HERE.parents[1]
PACKAGES = ["torch", "torchvision", "onnxruntime", "openvino", "numpy", "pillow", "pycocoevalcap"]


def interpreter(named, packages=("-r", PEERS / "requirements.txt")) -> str:
    """The peers' Python, its packages installed, or only these."""
    if named:
        return named
    python = HERE / ".venv" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", python.parents[1]], check=True)
    # PyTorch's own index has builds without CUDA, gigabytes smaller; where it can't be reached, pip goes on without.
    subprocess.run([python, "-m", "pip", "install", "-q", "--retries", "1", *packages], check=True)
    return str(python)


def revision(name) -> pathlib.Path:
    """A revision's files, in a folder of its own that is kept for the next time."""
    commit = subprocess.check_output(["git", "-C", ROOT, "rev-parse", "--verify", name + "^{commit}"], text=True).strip()
    folder = HERE / ".build-revisions" / commit[:12]
    if not folder.exists():
        unfinished = folder.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        archive = subprocess.run(["git", "-C", ROOT, "archive", commit], stdout=subprocess.PIPE, check=True).stdout
        subprocess.run(["tar", "-x", "-C", unfinished], input=archive, check=True)
        unfinished.rename(folder)
    return folder


@functools.cache
def built(product, root=ROOT, trait=None) -> str:
    """The path of a release executable."""
    package = root / PRODUCTS[product]
    command = ["swift", "build", "-c", "release", "--package-path", str(package)]
    if trait:
        command += ["--traits", trait, "--scratch-path", str(package / ".build" / trait.lower())]
    subprocess.run([*command, "--product", product], check=True, stdout=sys.stderr)
    return subprocess.check_output([*command, "--show-bin-path"], text=True).strip() + "/" + product


def description() -> str:
    model = platform.processor() or platform.machine()
    try:
        for line in open("/proc/cpuinfo"):
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    except OSError:
        pass
    return f"{model}, {len(os.sched_getaffinity(0))} cores; load average {os.getloadavg()[0]:.2f} at the start"


def versions(python) -> str:
    code = ("import importlib.metadata as m\nfor p in %r:\n try: print(p, m.version(p), end='; ')\n"
            " except m.PackageNotFoundError: pass" % PACKAGES)
    swift = subprocess.run(["swift", "--version"], capture_output=True, text=True).stdout.splitlines()
    return subprocess.check_output([python, "-c", code], text=True) + (swift[0] if swift else "")


def has_bfloat() -> bool:
    """Whether this CPU, as far as captioner may use it, multiplies bfloat16."""
    return "avx512_bf16" in open("/proc/cpuinfo").read() and os.environ.get("CAPTIONER_ISA", "avx512") == "avx512"
