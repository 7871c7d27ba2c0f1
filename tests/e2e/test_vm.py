"""What needs a kernel that this machine may not have, under Debian's own kernel in an emulated machine."""
import os
import subprocess

import pytest

from support.kernel import HAS_TLS
from support.program import BINARY, ROOT, assert_no_sanitizer_report

RUN = ROOT / "tests/vm/run"
CANNOT = 125  # of RUN: there is no kernel to be had, or no machine


@pytest.mark.skipif(HAS_TLS, reason="this machine's kernel can do it: the tests run as all others")
def test_tls_in_the_kernel():
    try:
        prepared = subprocess.run([RUN, "--prepare"], capture_output=True, text=True, timeout=300, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip("Debian's mirror is too slow to bring a kernel")
    if prepared.returncode == CANNOT:
        pytest.skip(prepared.stderr)
    tests = [ROOT / "tests/e2e" / name for name in ("test_kernel_tls.py", "test_tls.py")]
    done = subprocess.run([RUN, "/usr/bin/python3", "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests],
                          env={**os.environ, "GOST_BINARY": BINARY, "VM_TIMEOUT": "900", "GOST_TEST_PATIENCE": "5"},
                          cwd=ROOT, capture_output=True, text=True, timeout=1000, check=False)
    assert_no_sanitizer_report(done.stdout, done.returncode)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
