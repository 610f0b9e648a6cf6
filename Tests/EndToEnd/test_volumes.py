"""Volumes by the command line."""
import os
import re
import subprocess

import nbd
import pytest

from house import MIB

ID = re.compile(r"vol-[0-9a-f]{17}\Z")


def test_create_prints_the_id_and_nothing_else(house):
    outcome = house.run("volume", "create", "--size", "64MiB", "--name", "db")
    assert outcome.code == 0 and outcome.err == ""
    assert ID.match(outcome.out.rstrip("\n")) and outcome.out.count("\n") == 1


def test_show_has_every_promised_key(house):
    volume = house.volume("64MiB", "--name", "keys")
    shown = house.show("volume", volume)
    assert shown["id"] == volume and shown["name"] == "keys" and shown["state"] == "available"
    assert shown["sizeBytes"] == 64 * MIB
    assert shown["dirtyBytes"] == 0 and shown["allocatedBytes"] >= 0
    assert shown["hydration"]["isComplete"] is True
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z", shown["createdAt"])


def test_list_is_a_table_for_people_and_json_for_programs(house):
    volume = house.volume("64MiB", "--name", "listed")
    line = next(line for line in house.varve("volume", "list").splitlines() if volume in line)
    assert "listed" in line and "64 MiB" in line and "available" in line
    assert volume in [one["id"] for one in house.volumes()]


@pytest.mark.parametrize("text,size", [
    ("1MiB", MIB), ("1M", MIB), ("1048576", MIB), ("1.5MiB", 3 * MIB // 2), ("512", 512), ("1GiB", 1024 * MIB),
    ("64TiB", 64 << 40)])
def test_sizes_are_read_in_every_form(house, text, size):
    volume = house.volume(text)
    assert house.show("volume", volume)["sizeBytes"] == size
    house.varve("volume", "delete", volume)


def test_a_volume_is_a_disk(house):
    volume = house.volume()
    uri = house.varve("volume", "uri", volume)
    assert uri.startswith("nbd+unix:///" + volume)
    assert subprocess.run(["nbdinfo", "--size", uri], capture_output=True, text=True).stdout.strip() == str(64 * MIB)
    content = os.urandom(MIB)
    house.write(volume, 12345 * 512, content)
    assert house.read("volume", volume, 12345 * 512, MIB) == content
    shown = house.show("volume", volume)
    assert shown["state"] == "in-use" and shown["uri"] == uri
    assert MIB <= shown["dirtyBytes"] <= MIB + 8192


def test_uri_twice_is_the_same(house):
    volume = house.volume()
    assert house.varve("volume", "uri", volume) == house.varve("volume", "uri", volume)


def test_detach_ends_the_export(house):
    volume = house.volume()
    handle = house.open("volume", volume)
    house.varve("volume", "detach", volume)
    with pytest.raises(nbd.Error):
        handle.pread(512, 0)
    assert house.show("volume", volume)["state"] == "available"
    house.varve("volume", "detach", volume)


def test_an_attached_volume_is_not_deleted(house):
    volume = house.volume()
    house.varve("volume", "attach", volume)
    assert volume in house.refused("volume", "delete", volume)
    house.varve("volume", "detach", volume)
    house.varve("volume", "delete", volume)
    assert volume in house.refused("volume", "show", volume)
    assert volume not in [one["id"] for one in house.volumes()]


def test_resize_grows_and_keeps_the_content(house):
    volume = house.volume("1MiB")
    house.write(volume, MIB - 4096, b"\x11" * 4096)
    house.varve("volume", "resize", volume, "--size", "3MiB")
    assert house.show("volume", volume)["sizeBytes"] == 3 * MIB
    assert house.read("volume", volume, MIB - 4096, 8192) == b"\x11" * 4096 + bytes(4096)
    house.write(volume, 3 * MIB - 512, b"\x22" * 512)
    assert house.read("volume", volume, 3 * MIB - 512, 512) == b"\x22" * 512


def test_a_volume_never_shrinks(house):
    volume = house.volume("2MiB")
    house.refused("volume", "resize", volume, "--size", "1MiB")
    assert house.show("volume", volume)["sizeBytes"] == 2 * MIB


def test_modify_renames(house):
    volume = house.volume("1MiB", "--name", "old")
    house.varve("volume", "modify", volume, "--name", "new")
    assert house.show("volume", volume)["name"] == "new"
    house.varve("volume", "modify", volume, "--name", "")
    assert house.show("volume", volume).get("name") is None


def test_a_description_is_kept_changed_and_taken_away(house):
    volume = house.volume("1MiB", "--name", "db", "--description", "the first")
    assert house.show("volume", volume)["description"] == "the first"
    house.varve("volume", "modify", volume, "--description", "another")
    shown = house.show("volume", volume)
    assert (shown["description"], shown["name"]) == ("another", "db")
    assert "another" in house.varve("volume", "show", volume)
    house.varve("volume", "modify", volume, "--description", "")
    assert house.show("volume", volume).get("description") is None


def test_reinitialised_a_volume_has_what_it_was_made_with(house):
    volume = house.volume("1MiB")
    house.write(volume, 0, b"\x01" * 8192)
    snapshot = house.varve("snapshot", "create", volume, "--wait")
    restored = house.varve("volume", "create", "--from-snapshot", snapshot, "--wait")
    house.write(restored, 0, b"\x02" * 8192)
    outcome = house.run("volume", "reinitialise", volume)
    assert outcome.code == 1 and "attached" in outcome.err, repr(outcome)
    for one, content in ((volume, b"\0"), (restored, b"\x01")):
        house.varve("volume", "detach", one)
        house.varve("volume", "reinitialise", one)
        assert house.read("volume", one, 0, 8192) == content * 8192


def test_a_clone_has_the_content_and_then_its_own(house):
    volume = house.volume("4MiB")
    house.write(volume, 0, b"\x01" * 8192)
    clone = house.varve("volume", "create", "--from-volume", volume)
    assert house.show("volume", clone)["sizeBytes"] == 4 * MIB
    house.write(volume, 0, b"\x02" * 4096)
    house.write(clone, 4096, b"\x03" * 4096)
    assert house.read("volume", clone, 0, 8192) == b"\x01" * 4096 + b"\x03" * 4096
    assert house.read("volume", volume, 0, 8192) == b"\x02" * 4096 + b"\x01" * 4096
