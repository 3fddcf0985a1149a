"""What a process that holds keys does to itself, in a process of its own."""

import subprocess
import sys

import pytest

SAY = """
import os, resource, sys
sys.platform = sys.argv[1]
from crm.kit.process import harden
harden()
print(oct(os.umask(0)), resource.getrlimit(resource.RLIMIT_CORE), os.stat("/proc/self/mem").st_uid)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("platform", ["linux", "another"])
def test_no_core_and_no_file_for_others(platform: str) -> None:
    done = subprocess.run([sys.executable, "-c", SAY, platform], capture_output=True, text=True, check=True)

    assert done.stdout.startswith("0o77 (0, 0)")
