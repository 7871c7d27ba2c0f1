"""Peers that are made of the Go libraries which GOST uses: tests/interop/NAME/main.go, built from Debian's sources."""
import os
import shutil
import subprocess
import tempfile

from support.program import ROOT

GOPATH = "/usr/share/gocode"


class Builder:
    """Called with a NAME it builds that program, once, and returns its path."""

    def __init__(self):
        self._directory = tempfile.mkdtemp(prefix="gost-go-")
        self._built = {}

    def __call__(self, name):
        if name not in self._built:
            binary = os.path.join(self._directory, name)
            env = {**os.environ, "GO111MODULE": "off", "GOPATH": GOPATH, "GOFLAGS": "", "CGO_ENABLED": "0",
                   "GOCACHE": os.path.join(self._directory, "cache")}
            made = subprocess.run(["go", "build", "-o", binary, str(ROOT / "tests/interop" / name / "main.go")],
                                  env=env, cwd=self._directory, text=True, capture_output=True, timeout=300, check=False)
            assert made.returncode == 0, f"go build {name}:\n{made.stderr}"
            self._built[name] = binary
        return self._built[name]

    def close(self):
        shutil.rmtree(self._directory, ignore_errors=True)
