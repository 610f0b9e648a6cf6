"""What the README shows of this cloud's client is run as it is shown."""
import re
import subprocess
import sys

import pytest

from house import ROOT, House

pytest.importorskip("alibabacloud_ecs20140526", reason="alibabacloud_ecs20140526 is not installed")


def test_the_example_runs_as_pasted():
    text = (ROOT / "README.md").read_text()
    script = re.search(r"Alibaba Cloud's clients[^`]*`[^`]*`[^`]*```\n(.*?)```", text, re.S).group(1)
    house = House()
    try:
        house.start()
        house.varve("volume", "create", "--size", "1GiB")
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", f"python3() {{ {sys.executable} \"$@\"; }}\n" + script],
            env=dict(house.environment(), NO_PROXY="127.0.0.1"), capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        assert re.fullmatch(r"d-\w{20} s-\w{20} \d+%\n", done.stdout), done.stdout
    finally:
        house.remove()
