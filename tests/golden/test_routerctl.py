"""routerctl against a routerd whose answers are written down (routerctl/fake.py).

A case of routerctl/cases/*.txt is a server's name and command lines with what they print and exit with:

    server: one
    $ -t bio status
    | what is on standard output
    ! what is on standard error
    = 0

UPDATE=1 writes what is seen into the cases, to be looked at before it is committed."""

import glob
import json
import os
import pty
import shlex
import socket
import subprocess
import sys
import time

import pytest
import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(HERE, "routerctl")
sys.path.insert(0, FOLDER)
import fake  # noqa: E402

ROUTERCTL = os.environ.get("ROUTERCTL", os.path.join(HERE, "../../build/routerctl/routerctl"))
CASES = sorted(glob.glob(os.path.join(FOLDER, "cases/*.txt")))


def environment(**more):
    keep = {key: os.environ[key] for key in ("PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS") if key in os.environ}
    return {**keep, "LC_ALL": "C", "TERM": "xterm", **more}


class Place:
    """A folder with a socket, where the command runs."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "control.sock")
        self.server = None

    def serve(self, name):
        self.close()
        self.server = fake.start(name, self.path) if name != "absent" else None

    def close(self):
        if self.server:
            self.server.close()
        fake.remove(self.path)

    def run(self, words, stdin=b"", **more):
        return subprocess.run([ROUTERCTL, *words], cwd=os.path.join(FOLDER, "files"), input=stdin, timeout=60,
                              capture_output=True, check=False,
                              env=environment(**{"ROUTERD_SOCKET": self.path, **more}))


@pytest.fixture
def place(tmp_path):
    place = Place(str(tmp_path))
    yield place
    place.close()


def transcript(place, words):
    """What a command line does, as a case has it."""
    done = place.run(words)
    lines = []
    for mark, output in (("| ", done.stdout), ("! ", done.stderr)):
        text = output.decode().replace(place.path, "SOCKET")
        lines += [(mark + line).rstrip(" ") for line in text.split("\n")[:-1]]
        assert not text or text.endswith("\n"), "an unfinished line"
    return [*lines, f"= {done.returncode}"]


@pytest.mark.parametrize("case", CASES, ids=[os.path.basename(case)[:-4] for case in CASES])
def test_case(case, place):
    with open(case, encoding="utf-8") as file:
        wanted = file.read().split("\n")
    seen = []
    for line in wanted:
        if line.startswith("server: "):
            place.serve(line.removeprefix("server: "))
            seen.append(line)
        elif line.startswith("$"):
            seen += [line, *transcript(place, shlex.split(line[1:]))]
        elif not line.startswith(("|", "!", "=")):
            seen.append(line)
    if os.environ.get("UPDATE"):
        with open(case, "w", encoding="utf-8") as file:
            file.write("\n".join(seen))
    assert seen == wanted


# --- what goes to the server ----------------------------------------------------------------------

def asked(place, words, **more):
    place.serve("one")
    assert place.run(words, **more).returncode in (0, 1)
    return place.server.requests


def test_the_document_is_sent_as_it_is(place):
    document = "version: 1\nnetworks: []   # ゲノム\n".encode()
    key, headers, body = asked(place, ["-t", "bio", "apply", "-"], stdin=document)[-1]
    assert (key, body) == ("PUT /v1/tenants/bio/topology", document)
    assert headers["connection"] == "close" and "if-match" not in headers


@pytest.mark.parametrize("given,sent", [("6", '"6"'), ("0", '"0"'), ("*", "*")])
def test_if_match(place, given, sent):
    requests = asked(place, ["-t", "bio", "--if-match", given, "apply", "-"], stdin=b"version: 1\n")
    assert requests[-1][1]["if-match"] == sent


@pytest.mark.parametrize("given,seconds", [("30", 30), ("30s", 30), ("5m", 300), ("1h", 3600), ("1m30s", 90)])
def test_wait(place, given, seconds):
    requests = asked(place, ["-t", "bio", "apply", "--wait", given, "-"], stdin=b"version: 1\n")
    assert requests[-1][0] == f"PUT /v1/tenants/bio/topology?wait={seconds}"


@pytest.mark.parametrize("words,body", [
    (["web-1"], {"name": "web-1"}),
    (["web-1", "--pool", "aws", "--mac", "02:00:5e:00:53:01", "--address", "10.1.0.9", "--address", "2001:db8::9"],
     {"name": "web-1", "pool": "aws", "mac": "02:00:5e:00:53:01", "address": ["10.1.0.9", "2001:db8::9"]}),
    (["a", "--label", "owner=kim", "--label", "role=a=b"], {"name": "a", "labels": {"owner": "kim", "role": "a=b"}}),
    (["a", "b", "--pool", "aws"], [{"name": "a", "pool": "aws"}, {"name": "b", "pool": "aws"}])])
def test_nodes_are_asked_for(place, words, body):
    place.serve("nodes")
    assert place.run(["-t", "bio", "nodes", "add", "genome", *words]).returncode == 0
    key, _, sent = place.server.requests[-1]
    assert (key, json.loads(sent)) == ("POST /v1/tenants/bio/networks/genome/nodes", body)


def test_check_and_plan_are_dry_runs(place):
    for command in ("check", "plan"):
        requests = asked(place, ["-t", "bio", command, "-"], stdin=b"version: 1\n")
        assert [request[0] for request in requests] == ["PUT /v1/tenants/bio/topology?dry_run=true"]


def test_the_tenant_of_the_environment(place):
    requests = asked(place, ["status", "-o", "json"], ROUTERD_TENANT="bio")
    assert [request[0] for request in requests] == ["GET /v1/tenants/bio/status"]


def test_the_socket_of_the_command_line(place):
    place.serve("one")
    done = place.run(["-s", place.path, "status"], ROUTERD_SOCKET="/nonexistent")
    assert done.returncode == 0


def test_a_large_document(place):
    document = b"# " + b"x" * (15 << 20) + b"\nversion: 1\n"
    requests = asked(place, ["-t", "bio", "apply", "-"], stdin=document)
    assert requests[-1][2] == document


def test_a_document_that_is_too_large_is_not_sent(place):
    place.serve("one")
    done = place.run(["-t", "bio", "apply", "-"], stdin=b"x" * ((16 << 20) + 1))
    assert done.returncode == 1 and b"16 MiB" in done.stderr and not place.server.requests


def test_a_refusal_before_all_is_sent(place):
    place.serve("early")
    done = place.run(["-t", "bio", "apply", "-"], stdin=b"x" * (8 << 20))
    assert done.returncode == 1
    assert done.stderr == b"routerctl: <stdin>: the body is longer than 16 MiB\n"


# --- programs ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("words", [["status"], ["network"], ["network", "genome"], ["segments"], ["tunnels"],
                                   ["peers"], ["routes", "genome"], ["tenants"], ["version"]])
@pytest.mark.parametrize("server", ["one", "two"])
def test_yaml_says_what_json_says(place, server, words):
    place.serve(server)
    texts = [place.run(["-o", output, *words]).stdout for output in ("json", "yaml")]
    assert json.loads(texts[0]) == yaml.safe_load(texts[1])
    assert json.loads(texts[0])


def test_one_tenant_is_an_answer_and_several_are_a_list(place):
    place.serve("two")
    assert json.loads(place.run(["-o", "json", "-t", "bio", "status"]).stdout)["tenant"] == "bio"
    every = json.loads(place.run(["-o", "json", "status"]).stdout)
    assert [status["tenant"] for status in every] == ["bio", "phys"]


def test_objects_say_where_they_are(place):
    place.serve("two")
    peers = json.loads(place.run(["-o", "json", "peers"]).stdout)
    assert [(peer["tenant"], peer["network"], peer["name"]) for peer in peers][2:] == [
        ("bio", "proteome", "aws"), ("bio", "proteome", "sakura"), ("phys", "genome", "aws"),
        ("phys", "genome", "sakura")]
    assert peers[1]["asn"] == 4200000000


def test_a_refusal_is_json_too(place):
    place.serve("wrong")
    done = place.run(["-o", "json", "check", "-"], stdin=b"version: 1\n")
    assert done.returncode == 1 and json.loads(done.stdout)["errors"] == fake.FAULTS and not done.stderr


def test_the_document_for_programs(place):
    place.serve("one")
    for output, load in (("json", json.loads), ("yaml", yaml.safe_load)):
        answer = load(place.run(["-o", output, "topology"]).stdout)
        assert answer == {"tenant": "bio", "generation": 7, "document": fake.DOCUMENT.decode()}


# --- what must not hang or break --------------------------------------------------------------------

@pytest.mark.parametrize("server", ["silent", "trickle"])
def test_a_server_that_does_not_answer(place, server):
    place.serve(server)
    start = time.monotonic()
    done = place.run(["--timeout", "1s", "-t", "bio", "status"])
    assert done.returncode == 3 and time.monotonic() - start < 10
    assert done.stderr.decode().endswith("did not answer within 1 s\n")


def test_a_server_that_takes_no_connection(place):
    place.serve("silent")
    place.server.close()
    with socket.socket(socket.AF_UNIX) as full:
        fake.remove(place.path)
        full.bind(place.path)
        full.listen(0)
        waiting = []
        for _ in range(3):
            client = socket.socket(socket.AF_UNIX)
            client.setblocking(False)
            waiting.append(client)
            client.connect_ex(place.path)
        done = place.run(["--timeout", "1s", "-t", "bio", "status"])
    assert done.returncode == 3 and b"too busy" in done.stderr


def test_a_huge_answer(place):
    place.serve("huge")
    done = place.run(["network"])
    assert done.returncode == 0 and done.stdout.count(b"\n") == 20001


def test_an_output_that_is_full(place):
    place.serve("one")
    with open("/dev/full", "wb") as full:
        done = subprocess.run([ROUTERCTL, "status"], stdout=full, stderr=subprocess.PIPE, check=False, timeout=60,
                              env=environment(ROUTERD_SOCKET=place.path))
    assert done.returncode == 1 and b"No space left" in done.stderr


# --- people at a terminal ---------------------------------------------------------------------------

def at_terminal(place, words, typed=b"", **more):
    """Runs a command whose output is a terminal; returns all that the terminal was sent and the status."""
    terminal, end = pty.openpty()
    with subprocess.Popen([ROUTERCTL, *words], stdin=end, stdout=end, stderr=end,
                          env=environment(ROUTERD_SOCKET=place.path, **more)) as process:
        os.close(end)
        os.write(terminal, typed)
        seen = b""
        try:
            while part := os.read(terminal, 65536):
                seen += part
        except OSError:
            pass
        os.close(terminal)
        return seen.decode(), process.wait(60)


def test_colour_is_for_terminals(place):
    place.serve("two")
    assert "\033[3" in at_terminal(place, ["peers"])[0]
    assert "\033" not in at_terminal(place, ["peers"], NO_COLOR="1")[0]
    assert "\033" not in at_terminal(place, ["peers"], TERM="dumb")[0]
    assert b"\033" not in place.run(["peers"]).stdout


def test_progress_is_shown_and_wiped(place):
    place.serve("one")
    answers = place.server.answers
    answers["PUT /v1/tenants/bio/topology?wait=30"].delay = 2.5
    answers["GET /v1/tenants/bio/status"] = fake.Answer(200, fake.tenant("bio", 8, [fake.broken()], 7, False))
    seen, status = at_terminal(place, ["-t", "bio", "apply", "--wait", "30s", os.path.join(FOLDER, "files/right.yaml")])
    assert status == 0
    assert "1 s: 2 of 6 not up: proteome/tunnel/sakura: 203.0.113.2 is being" in seen
    assert "2 s: " in seen
    assert seen.rindex("\r\033[K") < seen.index("tenant bio: generation 8 is accepted")


@pytest.mark.parametrize("typed,status,asked", [(b"y\n", 0, True), (b"n\n", 1, False), (b"\n", 1, False)])
def test_clear_asks(place, typed, status, asked):
    place.serve("one")
    seen, exit_status = at_terminal(place, ["clear"], typed)
    assert "Remove every network of tenant bio? [y/N]" in seen
    assert exit_status == status
    assert ("DELETE /v1/tenants/bio/topology" in [request[0] for request in place.server.requests]) == asked
