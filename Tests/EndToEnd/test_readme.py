"""What the README shows is run as it is shown."""
import re
import shutil
import subprocess

from house import BINARY, ROOT


def test_the_first_five_minutes_run_as_pasted(house, tmp_path):
    text = (ROOT / "README.md").read_text()
    script = re.search(r"and in another,[^\n]*\n```\n(.*?)```", text, re.S).group(1)
    script = re.sub(r"^export .*$", "", script, count=1, flags=re.M)
    tools = f"varve() {{ {BINARY} \"$@\"; }}\n"
    for name in ["README.md", "LICENSE"]:
        shutil.copy(ROOT / name, tmp_path)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", tools + script], cwd=tmp_path, env=house.environment(), capture_output=True,
        text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the same" in done.stdout
    assert house.snapshots() == []
