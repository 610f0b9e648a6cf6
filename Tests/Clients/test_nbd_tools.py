"""The usual NBD tools against our server: nbdinfo, nbdcopy, qemu-img, qemu-io, fio."""
import json, os, random, subprocess

import nbd_disks
import pytest


def run(*command, ok=True, timeout=120):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=timeout)
    assert not ok or done.returncode == 0, f"{' '.join(map(str, command))}: {done.stdout}{done.stderr}"
    return done


@pytest.fixture
def image(tmp_path):
    """A file with data, holes and odd edges."""
    path = tmp_path / "image"
    rng = random.Random(7)
    with open(path, "wb") as f:
        f.truncate(nbd_disks.SIZE)
        for at, count in [(0, 5000), (1 << 20, 3 << 20), (10_000_001, 77_777), (40 << 20, 8 << 20),
                          (nbd_disks.SIZE - 12_345, 12_345)]:
            f.seek(at)
            f.write(rng.randbytes(count))
    return path


def test_nbdinfo_shows_what_the_export_can(disk):
    info = json.loads(run("nbdinfo", "--json", disk.uri).stdout)
    assert info["protocol"] == "newstyle-fixed" and info["structured"]
    export = info["exports"][0]
    assert export["export-size"] == disk.size
    assert "base:allocation" in export["contexts"]
    for can in ["can_cache", "can_df", "can_fast_zero", "can_flush", "can_fua", "can_multi_conn", "can_trim", "can_zero"]:
        assert export[can], can
    assert not export["is_read_only"] and not export["is_rotational"]
    assert export["block_size_preferred"] == 4096 and export["block_size_maximum"] == 32 << 20
    assert export["block_size_minimum"] in (1, 512)


def test_nbdinfo_lists_the_export(disk):
    info = json.loads(run("nbdinfo", "--list", "--json", disk.uri).stdout)
    assert disk.export in [e["export-name"] for e in info["exports"]]


def test_nbdinfo_map_covers_the_disk(disk):
    run("qemu-io", "-f", "raw", "-c", "write -P 5 1M 64k", disk.uri)
    extents = json.loads(run("nbdinfo", "--map", "--json", disk.uri).stdout)
    assert sum(e["length"] for e in extents) == disk.size
    data = [e for e in extents if e["type"] == 0]
    assert any(e["offset"] <= 1 << 20 and e["offset"] + e["length"] >= (1 << 20) + 65536 for e in data)


def test_nbdinfo_refuses_an_unknown_export(disk):
    other = disk.uri.replace("/" + disk.export, "/no-such-export", 1)
    done = run("nbdinfo", other, ok=False)
    assert done.returncode != 0 and "no-such-export" in done.stderr


@pytest.mark.parametrize("options", [[], ["--connections=1", "--requests=1"], ["--synchronous"], ["--request-size=2097152"]])
def test_nbdcopy_both_ways(disk, image, tmp_path, options):
    run("nbdcopy", *options, image, disk.uri)
    run("nbdcopy", *options, disk.uri, tmp_path / "back")
    run("cmp", image, tmp_path / "back")


def test_nbdcopy_from_disk_to_disk(disk, image, tmp_path):
    if not nbd_disks.binary_of_file_server():
        pytest.skip("needs NBDFile as the other side")
    run("nbdcopy", image, disk.uri)
    with nbd_disks.file_disk() as other:
        run("nbdcopy", disk.uri, other.uri)
        run("qemu-img", "compare", "-f", "raw", "-F", "raw", disk.uri, other.uri)


def test_qemu_img_converts_both_ways_and_compares(disk, image, tmp_path):
    run("qemu-img", "convert", "-n", "-f", "raw", "-O", "raw", image, disk.uri)
    run("qemu-img", "compare", "-f", "raw", "-F", "raw", image, disk.uri)
    run("qemu-img", "convert", "-f", "raw", "-O", "qcow2", disk.uri, tmp_path / "back.qcow2")
    run("qemu-img", "compare", "-f", "raw", "-F", "qcow2", image, tmp_path / "back.qcow2")
    run("qemu-img", "convert", "-n", "-f", "qcow2", "-O", "raw", "-W", "-m", "16", tmp_path / "back.qcow2", disk.uri)
    run("qemu-img", "compare", "-f", "raw", "-F", "raw", image, disk.uri)


def test_qemu_img_compare_sees_one_byte(disk, image):
    run("qemu-img", "convert", "-n", "-f", "raw", "-O", "raw", image, disk.uri)
    run("qemu-io", "-f", "raw", "-c", "write -P 0xaa 20000000 1", disk.uri)
    assert run("qemu-img", "compare", "-f", "raw", "-F", "raw", image, disk.uri, ok=False).returncode == 1


def test_qemu_img_bench_writes_and_flushes(disk):
    run("qemu-img", "bench", "-f", "raw", "-w", "-c", 2000, "-d", 64, "-s", 4096, "--flush-interval=100", disk.uri)
    run("qemu-img", "bench", "-f", "raw", "-c", 2000, "-d", 64, "-s", 65536, disk.uri)


def test_qemu_io_patterns(disk):
    run("qemu-io", "-f", "raw",
        "-c", "write -P 1 0 1M", "-c", "write -P 2 -f 4095 3", "-c", "read -P 1 0 4095", "-c", "read -P 2 4095 3",
        "-c", "read -P 1 4098 1000000", "-c", "write -z 8192 8192", "-c", "read -P 0 8192 8192",
        "-c", "write -z -u 65536 65536", "-c", "read -P 0 65536 65536", "-c", "read -P 1 131072 4096",
        "-c", "write -z -n 200000 100", "-c", "flush", "-c", "discard 262144 131072",
        "-c", "aio_write -P 9 300k 64k", "-c", "aio_read -P 1 700k 64k", "-c", "aio_flush", "-c", "read -P 9 300k 64k",
        disk.uri)


def fio(disk, *options, timeout=180):
    run("fio", "--name=job", "--ioengine=nbd", f"--uri={disk.uri}", "--verify_fatal=1", "--verify_state_save=0",
        "--randrepeat=0",
        *options, timeout=timeout)


@pytest.mark.parametrize("shape", [
    ["--rw=randwrite", "--bs=4k", "--iodepth=32", "--fsync=64"],
    ["--rw=randwrite", "--bsrange=512-128k", "--bs_unaligned", "--iodepth=16"],
    ["--rw=write", "--bs=1m", "--iodepth=8"],
    ["--rw=randrw", "--bs=16k", "--iodepth=16"],
])
def test_fio_verifies_what_it_wrote(disk, shape):
    fio(disk, "--size=32m", "--verify=crc32c", "--do_verify=1", *shape)


@pytest.mark.parametrize("order", ["trimwrite", "randtrimwrite"])
def test_fio_verifies_what_it_trimmed_and_wrote(disk, order):
    fio(disk, "--size=32m", f"--rw={order}", "--bs=16k", "--iodepth=16", "--verify=crc32c", "--do_verify=1", "--fsync=128")


def test_fio_trims_at_random(disk):
    fio(disk, "--size=32m", "--rw=randtrim", "--bs=64k", "--iodepth=8")


def test_a_client_killed_in_flight_leaves_the_server_well(disk):
    for _ in range(5):
        client = subprocess.Popen(
            ["fio", "--name=k", "--ioengine=nbd", f"--uri={disk.uri}", "--rw=randrw", "--bs=64k", "--iodepth=32",
             "--size=32m", "--time_based", "--runtime=60"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        done = run("qemu-io", "-f", "raw", "-c", "write -P 3 60M 1M", "-c", "read -P 3 60M 1M", disk.uri)
        client.kill()
        client.wait()
    run("qemu-io", "-f", "raw", "-c", "read -P 3 60M 1M", disk.uri)


def test_dirty_blocks_are_shown():
    if not nbd_disks.binary_of_file_server():
        pytest.skip("needs NBDFile")
    with nbd_disks.file_disk(memory=True) as disk:
        run("qemu-io", "-f", "raw", "-c", "write -P 5 1M 8k", "-c", "discard 2M 64k", disk.uri)
        extents = json.loads(run("nbdinfo", "--map=varve:dirty", "--json", disk.uri).stdout)
        assert [(e["offset"], e["length"]) for e in extents if e["type"] == 1] == [(1 << 20, 8192), (2 << 20, 65536)]


def test_a_read_only_export_is_read_only():
    if not nbd_disks.binary_of_file_server():
        pytest.skip("needs NBDFile")
    with nbd_disks.file_disk(nbd_disks.SIZE, "--read-only") as disk:
        assert json.loads(run("nbdinfo", "--json", disk.uri).stdout)["exports"][0]["is_read_only"]
        assert run("qemu-io", "-f", "raw", "-c", "write 0 4k", disk.uri, ok=False).returncode != 0
        run("qemu-io", "-r", "-f", "raw", "-c", "read -P 0 0 1M", disk.uri)
