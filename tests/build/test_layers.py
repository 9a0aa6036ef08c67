"""The build keeps the rooms apart: an include of a room above or beside does not compile, with the
very flags of a file of the room, and cmake/check_layers.py refuses the ways around that."""

import json
import os
import pathlib
import shlex
import subprocess
import sys

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BUILD_DIR", TOP / "build"))
GROUND = {"model", "log"}
LOW = GROUND | {"backend"}
BACKENDS = ("ovs", "net", "ipsec", "bgp", "dhcp")
SEES = {
    "model": {"model"},
    "log": {"log"},
    "backend": LOW,
    **{room: LOW | {room} for room in (*BACKENDS, "store", "config")},
    "engine": LOW | {"store", "config", "engine"},
    "api": LOW | {"store", "config", "engine", "api"},
}


def command_of(place):
    """The compiler's command line for some file of the folder, without its input and output."""
    for entry in json.loads((BUILD / "compile_commands.json").read_text()):
        if pathlib.Path(entry["file"]).parent == place:
            words = shlex.split(entry["command"])
            del words[words.index("-o") :]
            return words, entry["directory"]
    return None, None


def compiles(place, text):
    words, directory = command_of(place)
    if words is None:
        pytest.skip(f"{place.name} has no C file")
    done = subprocess.run(
        [*words, "-fsyntax-only", "-x", "c", "-"], cwd=directory, input=text, text=True,
        capture_output=True, check=False)
    return done.returncode == 0, done.stderr


def folder(room):
    return TOP / room if room in BACKENDS else TOP / "routerd" / room


def headers(room):
    return sorted(folder(room).glob("*.h"))


@pytest.mark.parametrize("other", SEES)
@pytest.mark.parametrize("room", SEES)
def test_a_room_sees_only_the_rooms_below_it(room, other):
    """Tried with a header that exists, or the failure would prove nothing."""
    if not headers(other):
        pytest.skip(f"{other} has no header")
    name = f"{other}/{headers(other)[0].name}"
    probe = f'#if __has_include("{name}")\n#error seen\n#endif\n'
    unseen, _ = compiles(folder(room), probe)
    assert unseen == (other not in SEES[room])
    if unseen:
        fine, errors = compiles(folder(room), f'#include "{name}"\n')
        assert not fine
        assert "No such file" in errors or "file not found" in errors


@pytest.mark.parametrize("other", SEES)
def test_the_client_sees_no_room_of_the_daemon(other):
    if not headers(other):
        pytest.skip(f"{other} has no header")
    probe = f'#if __has_include("{other}/{headers(other)[0].name}")\n#error seen\n#endif\n'
    unseen, _ = compiles(TOP / "routerctl", probe)
    assert unseen


def check(tree, files):
    for name, text in files.items():
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    done = subprocess.run([sys.executable, TOP / "cmake/check_layers.py", tree], text=True,
                          capture_output=True, check=False)
    return done.returncode, done.stderr


@pytest.mark.parametrize("name, line, where", [
    ("ovs/ovs_io.c", '#include "../net/net.h"', "leaves its room"),
    ("ovs/ovs_io.c", '# include "model/../../net/net.h"', "leaves its room"),
    ("routerd/main.c", '#include "/usr/include/yaml.h"', "leaves its room"),
    ("routerctl/main.c", '#include "../routerd/api/api.h"', "leaves its room"),
    ("net/net_want.c", "#include <netlink/netlink.h>", "pure file"),
    ("net/net_diff.c", '#include "log/log.h"', "pure file"),
    ("bgp/bgp_want.c", "#include <time.h>", "pure file"),
    ("routerd/model/addr.c", "#include <openvswitch/poll-loop.h>", "pure file"),
    ("routerd/model/addr.h", '#include "log/log.h"', "pure file"),
])
def test_the_check_names_file_and_line(tmp_path, name, line, where):
    status, errors = check(tmp_path, {name: f"/* one */\n{line}\n"})
    assert status == 1
    assert errors.startswith(f"{name}:2: ") and where in errors


def test_the_check_follows_a_pure_file_into_its_own_headers(tmp_path):
    status, errors = check(tmp_path, {
        "ovs/ovs_want.c": '#include "ovs/ovs_want.h"\n',
        "ovs/ovs_want.h": '#include "inner.h"\n',
        "ovs/inner.h": "#include <lib/ovsdb-idl.h>\n",
    })
    assert status == 1 and errors.startswith("ovs/inner.h:1: ")


def test_the_check_accepts_what_the_layers_allow(tmp_path):
    status, errors = check(tmp_path, {
        "routerd/model/topology_yaml.c": "#include <string.h>\n#include <yaml.h>\n",
        "ovs/ovs_want.c": '#include <errno.h>\n#include "model/a.h"\n#include "ovs/own.h"\n',
        "ovs/own.h": '#include "backend/backend.h"\n',
        "ovs/ovs_io.c": '#include <lib/ovsdb-idl.h>\n#include "log/log.h"\n',
    })
    assert (status, errors) == (0, "")
