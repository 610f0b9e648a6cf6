"""Bad input gets a clear error that names what and why, and nothing half-made."""
import pytest

from house import House, MIB

GHOST_VOLUME = "vol-0123456789abcdef0"
GHOST_SNAPSHOT = "snap-0123456789abcdef0"


@pytest.mark.parametrize("size", ["0", "1", "511", "513", "65TiB", "64TiB1", "9000PiB", "-1", "abc", "", "1.3", "8GIBB"])
def test_a_size_that_cannot_be(house, size):
    before = house.volumes()
    outcome = house.run("volume", "create", f"--size={size}")
    assert outcome.code in (1, 2) and outcome.out == "" and outcome.err.strip(), repr(outcome)
    assert house.volumes() == before


@pytest.mark.parametrize("name", ["x" * 129, "a\nb", "a\x1b[31m", ""])
def test_a_name_that_cannot_be(house, name):
    before = house.volumes()
    outcome = house.run("volume", "create", "--size", "1MiB", f"--name={name}")
    assert outcome.code in (1, 2) and outcome.out == "" and outcome.err.strip(), repr(outcome)
    assert house.volumes() == before


def test_the_longest_name_is_taken(house):
    house.varve("volume", "delete", house.volume("1MiB", "--name", "x" * 128))


@pytest.mark.parametrize("identifier", [GHOST_VOLUME, "vol-1", "nonsense", "vol-0123456789abcdefg", "../store", "vol 1"])
def test_an_unknown_volume(house, identifier):
    for words in [("show",), ("uri",), ("attach",), ("detach",), ("delete",)]:
        assert identifier in house.refused("volume", *words, identifier)
    assert identifier in house.refused("volume", "resize", identifier, "--size", "1GiB")
    house.refused("volume", "rollback", identifier, GHOST_SNAPSHOT)
    assert identifier in house.refused("snapshot", "create", identifier)
    assert identifier in house.refused("volume", "create", "--from-volume", identifier)


@pytest.mark.parametrize("identifier", [GHOST_SNAPSHOT, "snap-1", "nonsense"])
def test_an_unknown_snapshot(house, identifier, tmp_path):
    volume = house.volume("1MiB")
    for words in [("show",), ("uri",), ("detach",), ("delete",), ("verify",), ("watch",)]:
        assert identifier in house.refused("snapshot", *words, identifier)
    assert identifier in house.refused("snapshot", "export", identifier, tmp_path / "x")
    assert identifier in house.refused("snapshot", "diff", identifier, identifier)
    assert identifier in house.refused("volume", "rollback", volume, identifier)
    assert identifier in house.refused("volume", "create", "--from-snapshot", identifier)
    assert list(tmp_path.iterdir()) == []


def test_wrong_use_is_exit_two(house):
    for words in [
        (), ("volume",), ("volume", "create"), ("volume", "show"), ("snapshot", "create"), ("bogus",),
        ("volume", "show", "a", "b"), ("volume", "list", "--output", "xml"), ("serve", "--listen", "nowhere"),
        ("snapshot", "create", "a", "b"), ("store", "reclaim", "--grace", "soon"), ("volume", "modify", "a"),
        ("volume", "create", "--from-snapshot", "a", "--from-volume", "b"),
    ]:
        outcome = house.run(*words)
        if words in [(), ("volume",)]:
            assert outcome.code in (0, 2), repr(outcome)
        else:
            assert outcome.code == 2 and outcome.out == "" and outcome.err.strip(), repr(outcome)


def test_a_server_that_is_not_there_is_exit_three(house):
    env = dict(house.environment(), VARVE_ENDPOINT="http://127.0.0.1:1")
    outcome = house.run("volume", "list", env=env)
    assert outcome.code == 3 and "127.0.0.1:1" in outcome.err, repr(outcome)


def test_a_wrong_key_is_refused(house):
    env = dict(house.environment(), VARVE_ACCESS_KEY_ID="VARVNOBODY", VARVE_SECRET_ACCESS_KEY="x")
    outcome = house.run("volume", "list", env=env)
    assert outcome.code == 1 and "VARVNOBODY" in outcome.err, repr(outcome)


def test_a_missing_key_says_where_it_should_be(house, tmp_path):
    outcome = house.run("volume", "list", env=dict(house.environment(), VARVE_DATA=str(tmp_path)))
    assert outcome.code == 2 and str(tmp_path) in outcome.err, repr(outcome)


def test_every_help_has_an_example(house):
    groups = {
        "volume": ["create", "import", "list", "show", "uri", "attach", "detach", "modify", "resize", "rollback",
                   "export", "delete"],
        "snapshot": ["create", "list", "show", "watch", "uri", "detach", "export", "diff", "verify", "delete"],
        "store": ["status", "reclaim", "verify", "recover"],
        "task": ["list", "show"],
    }
    for noun, verbs in groups.items():
        for verb in verbs:
            text = house.varve(noun, verb, "--help")
            assert f"  varve {noun} {verb}" in text.replace("$(", "  ") or f"varve {noun} {verb}" in text, text
    assert "varve serve --data" in house.varve("serve", "--help")


def test_the_other_kind_of_id_is_refused(house):
    volume = house.volume("1MiB")
    snapshot = house.snapshot(volume)
    assert snapshot in house.refused("volume", "show", snapshot)
    assert volume in house.refused("snapshot", "show", volume)
    assert volume in house.refused("volume", "create", "--from-snapshot", volume)


def test_a_restore_that_is_smaller_than_its_snapshot_is_refused(house):
    snapshot = house.snapshot(house.volume("2MiB"))
    before = house.volumes()
    house.refused("volume", "create", "--from-snapshot", snapshot, "--size", "1MiB")
    assert house.volumes() == before


def test_another_volumes_snapshot_is_no_rollback_target(house):
    one, other = house.volume("1MiB"), house.volume("1MiB")
    snapshot = house.snapshot(other)
    assert snapshot in house.refused("volume", "rollback", one, snapshot)


@pytest.mark.parametrize(
    ("option", "value", "needed"),
    [
        ("--restore-fast", "2", "--restore-fast-in"),
        ("--share-for", "3d", "--share-with"),
        ("--copy-keep", "4", "--copy-to"),
    ],
)
def test_an_option_of_a_policy_without_the_one_it_belongs_to(house, option, value, needed):
    words = ["policy", "create", "--tag", "backup=yes", "--every", "24"]
    message = house.refused(*words, option, value, code=2)
    assert needed in message, message
    assert house.json("policy", "list")["policies"] == []
