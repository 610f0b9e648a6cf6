"""What the README shows of this cloud's client is run as it is shown."""
import re
import subprocess
import sys

from conftest import need
from house import BINARY, ROOT, House


def test_the_example_runs_as_pasted():
    need("ksyun", "kingsoftcloud-sdk-python")
    text = (ROOT / "README.md").read_text()
    script = re.search(r"Kingsoft Cloud's clients[^`]*`[^`]*`[^`]*```\n(.*?)```", text, re.S).group(1)
    house = House()
    try:
        house.start()
        tools = f"varve() {{ {BINARY} \"$@\"; }}\npython3() {{ {sys.executable} \"$@\"; }}\n"
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", tools + script], env=dict(house.environment(), NO_PROXY="127.0.0.1"),
            capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "%" in done.stdout and "db" in done.stdout
        assert [volume["name"] for volume in house.volumes()] == ["db"]
    finally:
        house.remove()
