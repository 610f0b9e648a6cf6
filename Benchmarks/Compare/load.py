"""What the comparisons share: load from fio, processor time and memory of a process, and how figures are shown."""
import json
import os
import statistics
import subprocess


def fio(uri, pattern, size, depth, seconds, *more):
    """Runs one cell over NBD and answers fio's figures of the job."""
    done = subprocess.run(
        ["fio", "--name=cell", "--ioengine=nbd", f"--uri={uri}", f"--rw={pattern}", f"--bs={size}", f"--iodepth={depth}",
         "--time_based", f"--runtime={seconds}", "--randrepeat=0", "--norandommap", "--output-format=json", *more],
        capture_output=True, text=True, timeout=seconds * 10 + 60)
    start = done.stdout.find("{")
    if done.returncode or start < 0:
        raise SystemExit(f"fio failed on {uri}: {done.stderr.strip() or done.stdout[:400]}")
    return json.loads(done.stdout[start:])["jobs"][0]


def iops(job):
    return max(job["read"]["iops"], job["write"]["iops"])


def fill(uri, size):
    """Writes all of it once, with bytes that do not compress."""
    subprocess.run(["fio", "--name=fill", "--ioengine=nbd", f"--uri={uri}", "--rw=write", "--bs=1m", "--iodepth=4",
                    "--refill_buffers", "--end_fsync=1", f"--size={size}"], check=True, capture_output=True)


def processor_seconds(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid):
    """Bytes: all that is resident, and the part that is not file pages (which the kernel takes back at will)."""
    found = {}
    for line in open(f"/proc/{pid}/status"):
        name, _, value = line.partition(":")
        if name in ("VmRSS", "RssFile"):
            found[name] = int(value.split()[0]) * 1024
    return found["VmRSS"], found["VmRSS"] - found["RssFile"]


def spread(values, digits=2):
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f}-{max(values):.{digits}f})"
