"""UDP ASSOCIATE: what is relayed, to whom answers go, fragments, limits, bad datagrams, the end."""
import contextlib
import socket

import pytest

from support import peers, wire
from support.reasons import ends, join, last_line, lines_of
from support.udp import ASSOCIATE, Association, UdpAnswering, UdpTarget, header, negotiated, udp_socket
from support.waiting import wait_until


@pytest.fixture(name="program", scope="module")
def services(shared_gost):
    program = shared_gost("-L", "socks5://127.0.0.1:0?udp=true", "-L", "socks5://127.0.0.1:0",
                          "-L", "socks5://127.0.0.1:0?udp=true&udpBufferSize=64",
                          "-L", "socks5://127.0.0.1:0?udp=true&publicAddr=203.0.113.9",
                          "-L", "socks5://127.0.0.1:0?udp=true&udp.idleTimeout=500ms",
                          "-L", "socks5://127.0.0.1:0?udp=true&udp.maxAssociations=3",
                          "-L", "socks5://127.0.0.1:0?udp=true&bypass=127.0.0.2",
                          "-L", "socks5://127.0.0.1:0?udp=true&udpBufferSize=65535",
                          "-L", "auto://alice:secret@127.0.0.1:0?udp=true",
                          "-L", "socks5://127.0.0.1:0?udp=true&publicAddr=pub.example", services=10)
    names = ("udp", "off", "small", "public", "hasty", "few", "bypass", "large", "auto", "named")
    program.at = dict(zip(names, program.listening))
    return program


@pytest.fixture(name="udp_echo")
def echoing_target():
    with contextlib.closing(UdpAnswering()) as target:
        yield target


@pytest.fixture(autouse=True)
def bystander(program, udp_echo):
    """The association of somebody else goes on, and nothing but it is left afterwards."""
    with contextlib.closing(Association(program.at["udp"])) as other:
        other.assert_echo(udp_echo.address, b"before")
        with program.leaves_nothing():
            yield
            other.assert_echo(udp_echo.address, b"after")


@pytest.fixture(name="client")
def association(program):
    with contextlib.closing(Association(program.at["udp"])) as client:
        yield client


@pytest.fixture(name="scripted")
def scripted_target():
    with contextlib.closing(UdpTarget()) as target:
        yield target


# --- the ordinary ---

@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_an_answer_comes_with_its_source(client, host):
    with contextlib.closing(UdpAnswering(host)) as target:
        client.send(b"question", target.address)
        answer = client.receive()
        assert (answer.payload, answer.source, answer.fragment, answer.reserved) == (b"question", target.address, 0, 0)


def test_targets_of_both_families_in_one_association(client, udp_echo):
    with contextlib.closing(UdpAnswering("::1")) as target6:
        for number in range(20):
            for target in (udp_echo, target6):
                client.send(b"%d" % number, target.address)
                answer = client.receive()
                assert (answer.payload, answer.source) == (b"%d" % number, target.address)


def test_names_are_resolved(client, udp_echo):
    for number in range(5):
        client.send(b"%d" % number, ("localhost", udp_echo.port))
        answer = client.receive()
        assert (answer.payload, answer.source) == (b"%d" % number, udp_echo.address)


def test_an_ipv4_address_mapped_into_ipv6(client, udp_echo):
    client.send(b"mapped", ("::ffff:127.0.0.1", udp_echo.port))
    answer = client.receive()
    assert (answer.payload, answer.source) == (b"mapped", udp_echo.address)


def test_the_relay_is_where_the_client_connected(client, program):
    assert client.relay[0] == "127.0.0.1" and client.relay[1] not in (0, program.at["udp"][1])


def test_a_client_on_ipv6_reaches_both_families(gost, udp_echo):
    program = gost("-L", "socks5://[::1]:0?udp=true")
    with contextlib.closing(UdpAnswering("::1")) as target6, contextlib.closing(Association(program.address)) as client:
        assert client.relay[0] == "::1"
        for target in (udp_echo, target6):
            client.send(b"question", target.address)
            answer = client.receive()
            assert (answer.payload, answer.source) == (b"question", target.address)


def test_a_public_address_is_announced(program, udp_echo):
    with contextlib.closing(Association(program.at["public"])) as client:
        assert client.relay[0] == "203.0.113.9"
        client.relay = ("127.0.0.1", client.relay[1])
        client.assert_echo(udp_echo.address)


def test_a_public_name_is_of_no_use_for_udp(program, udp_echo):
    with contextlib.closing(Association(program.at["named"])) as client:
        assert client.relay[0] == "127.0.0.1"
        client.assert_echo(udp_echo.address)


def test_with_user_and_password(program, udp_echo):
    with contextlib.closing(Association(program.at["auto"], "alice", "secret")) as client:
        client.assert_echo(udp_echo.address)


def test_an_empty_payload_passes_both_ways(client, udp_echo):
    client.assert_echo(udp_echo.address, b"")
    client.assert_echo(udp_echo.address, b"and another one")


def test_a_burst_arrives_whole_and_in_order(client, udp_echo):
    for burst in range(10):
        sent = [b"%d/%d" % (burst, number) for number in range(30)]
        for payload in sent:
            client.send(payload, udp_echo.address)
        assert [client.receive().payload for _ in sent] == sent


def test_many_answers_to_one_question(client):
    answers = [b"%d" % number for number in range(20)]
    with contextlib.closing(UdpAnswering(answer=lambda _: answers)) as target:
        client.send(b"all", target.address)
        assert [client.receive().payload for _ in answers] == answers


def test_anybody_may_answer(client, scripted):
    """Full cone: whoever knows the outbound socket may send; peers of games and of WebRTC need it."""
    client.send(b"hello", scripted.address)
    _, outbound = scripted.receive()
    with contextlib.closing(UdpTarget()) as third:
        third.send(b"from elsewhere", ("127.0.0.1", outbound[1]))
        answer = client.receive()
        assert (answer.payload, answer.source) == (b"from elsewhere", third.address)


def test_all_targets_see_one_port(client):
    with contextlib.ExitStack() as stack:
        targets = [stack.enter_context(contextlib.closing(UdpTarget())) for _ in range(5)]
        seen = set()
        for target in targets:
            client.send(b"x", target.address)
            seen.add(target.receive()[1])
        assert len(seen) == 1


def test_two_hundred_associations_at_once(program, udp_echo):
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(contextlib.closing(Association(program.at["udp"]))) for _ in range(200)]
        for number, client in enumerate(clients):
            client.send(b"%d" % number, udp_echo.address)
        for number, client in enumerate(clients):
            assert client.receive().payload == b"%d" % number


def test_the_log_counts_datagrams_and_bytes(program, udp_echo):
    with contextlib.closing(Association(program.at["udp"])) as client:
        for payload in (b"1", b"22", b"333"):
            client.assert_echo(udp_echo.address, payload)
        connection = ends(client.control)
    last = last_line(program, connection)
    assert last.items() >= {"cmd": "udp", "inputBytes": 6, "outputBytes": 6, "inputDatagrams": 3,
                            "outputDatagrams": 3, "droppedDatagrams": 0}.items() and "err" not in last, last


# --- who the client is ---

def test_a_second_port_of_the_same_host_is_not_the_client(client, udp_echo):
    client.assert_echo(udp_echo.address)
    with contextlib.closing(udp_socket()) as other:
        other.sendto(header(*udp_echo.address) + b"stolen", client.relay)
    client.assert_echo(udp_echo.address, b"mine")
    assert b"stolen" not in udp_echo.payloads


def test_another_address_is_not_the_client(client, udp_echo):
    with contextlib.closing(udp_socket("127.0.0.2")) as other:
        other.sendto(header(*udp_echo.address) + b"spoofed", client.relay)
    client.assert_echo(udp_echo.address, b"mine")
    assert b"spoofed" not in udp_echo.payloads


def test_the_port_in_the_request_is_honoured(program, udp_echo):
    with contextlib.closing(Association(program.at["udp"], requested="own")) as client:
        with contextlib.closing(udp_socket()) as faster:
            faster.sendto(header(*udp_echo.address) + b"first", client.relay)
        client.assert_echo(udp_echo.address, b"mine")
        assert b"first" not in udp_echo.payloads


def test_an_address_that_is_not_the_clients_is_ignored(program, udp_echo):
    """What a client behind NAT believes its address to be."""
    with contextlib.closing(Association(program.at["udp"], requested=("10.1.2.3", 4444))) as client:
        client.assert_echo(udp_echo.address)


def test_a_bad_datagram_pins_nobody(client, udp_echo):
    with contextlib.closing(udp_socket()) as other:
        other.sendto(b"\0\0", client.relay)
    client.assert_echo(udp_echo.address)


# --- fragments ---

def test_fragments_are_put_together(client, udp_echo):
    for number, part in ((1, b"one "), (2, b"two "), (0x83, b"three")):
        client.send(part, udp_echo.address, fragment=number)
    assert client.receive().payload == b"one two three"
    client.assert_echo(udp_echo.address)
    assert udp_echo.payloads[-2:] == [b"one two three", b"still here"]


def test_a_datagram_of_one_fragment(client, udp_echo):
    client.send(b"alone", udp_echo.address, fragment=0x81)
    assert client.receive().payload == b"alone"


FRAGMENT_ATTACKS = {
    "never finished": [1, 2, 3],
    "without a beginning": [2, 3, 0x84],
    "out of order": [1, 3, 0x82],
    "twice the same": [1, 1, 1, 1],
    "the end first": [0x85, 1, 2],
    "as many as there can be": list(range(1, 128)),
}


@pytest.mark.parametrize("numbers", FRAGMENT_ATTACKS.values(), ids=FRAGMENT_ATTACKS)
def test_fragments_that_do_not_belong_together_are_forgotten(client, udp_echo, numbers):
    before = len(udp_echo.received)
    for number in numbers:
        client.send(b"part", udp_echo.address, fragment=number)
    client.assert_echo(udp_echo.address)
    assert [payload for payload in udp_echo.payloads[before:] if b"part" in payload] == []
    for number, part in ((1, b"then "), (0x82, b"whole")):
        client.send(part, udp_echo.address, fragment=number)
    assert client.receive().payload == b"then whole"


def test_fragments_for_two_targets_do_not_mix(client, udp_echo):
    with contextlib.closing(UdpAnswering()) as other:
        client.send(b"for one ", udp_echo.address, fragment=1)
        client.send(b"for the other", other.address, fragment=0x82)
        client.assert_echo(other.address)
        assert other.payloads == [b"still here"]


def test_fragments_of_two_associations_do_not_mix(program, udp_echo):
    with contextlib.closing(Association(program.at["udp"])) as one, \
            contextlib.closing(Association(program.at["udp"])) as two:
        for client in (one, two):
            client.send(b"begun by ", udp_echo.address, fragment=1)
        for client, name in ((two, b"two"), (one, b"one")):
            client.send(name, udp_echo.address, fragment=0x82)
            assert client.receive().payload == b"begun by " + name


# --- bad datagrams ---

BAD = {
    "empty": b"", "short": b"\0\0\0", "header cut": header("127.0.0.1", 1)[:7], "no port": header("127.0.0.1", 1)[:-2],
    "unknown address type": b"\0\0\0\x05" + bytes(20), "address type 0": bytes(30),
    "name cut": b"\0\0\0\x03\xffshort", "name of length 0 cut": b"\0\0\0\x03\0", "port 0": header("127.0.0.1", 0) + b"x",
    "a name that does not exist": header("nosuch.invalid", 53) + b"x",
    "a name with zeros": header(b"a\0b", 53) + b"x", "no name": header(b"", 53) + b"x",
    "IPv6 cut": header("::1", 1)[:15], "unreachable network": header("240.0.0.1", 9) + b"x",
    "multicast": header("224.0.0.251", 5353) + b"x", "broadcast": header("255.255.255.255", 9) + b"x",
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD)
def test_a_bad_datagram_harms_only_itself(client, udp_echo, data):
    client.assert_echo(udp_echo.address, b"good one")
    client.send_raw(data)
    client.assert_echo(udp_echo.address, b"another good one")


def test_headers_cut_at_every_byte(client, udp_echo):
    for whole in (header(*udp_echo.address), header("::1", udp_echo.port), header("localhost", udp_echo.port)):
        for length in range(len(whole)):
            client.send_raw(whole[:length])
    client.assert_echo(udp_echo.address)


def test_a_closed_port_does_not_end_the_association(client, udp_echo):
    with contextlib.closing(udp_socket()) as closed:
        target = closed.getsockname()
    for _ in range(5):
        client.send(b"nobody is there", target)
        client.assert_echo(udp_echo.address)


def test_reserved_bytes_are_ignored(client, udp_echo):
    client.send(b"with RSV", udp_echo.address, reserved=0x0005)
    assert client.receive().payload == b"with RSV"


def test_a_flood_of_garbage(client, udp_echo):
    for number in range(2000):
        client.send_raw(bytes([0, 0, number % 256, number // 256]) + bytes(number % 40))
    wait_until(lambda: echoes_at_last(client, udp_echo), "an echo after the flood")


def echoes_at_last(client, udp_echo):
    """The flood may have filled the relay's receive buffer: then this one is lost as well."""
    client.send(b"after the flood", udp_echo.address)
    try:
        return client.receive(0.2).payload == b"after the flood"
    except TimeoutError:
        return False


# --- sizes ---

def test_what_is_too_long_is_dropped_whole_and_said_once(program, udp_echo):
    with contextlib.closing(Association(program.at["small"])) as client:
        client.assert_echo(udp_echo.address, b"x" * 54)  # with its header of 10: exactly 64
        for _ in range(3):
            client.send(b"y" * 55, udp_echo.address)
        client.assert_echo(udp_echo.address)
        connection = ends(client.control)
    assert not any(b"y" in payload for payload in udp_echo.payloads)
    last = last_line(program, connection)
    assert last["droppedDatagrams"] == 3
    warnings = [line["msg"] for line in lines_of(program, last["sid"]) if line["level"] == "warn"]
    assert warnings == ["dropped a datagram of 65 bytes, longer than 64 (option udp.bufferSize); further ones are only "
                        "counted"]


def test_each_kind_of_drop_is_told_once(gost, udp_echo, dead_port):
    program = gost("-L", f"socks5://127.0.0.1:0?udp=true&bypass=192.0.2.66,*.forbidden.test&resolver=127.0.0.1:{dead_port}")
    with contextlib.closing(Association(program.address)) as client, contextlib.closing(udp_socket()) as stranger:
        client.assert_echo(udp_echo.address)
        for _ in range(2):
            stranger.sendto(header(*udp_echo.address) + b"forged", client.relay)
            client.send_raw(b"\x00\x00\x00\x09")
            client.send(b"x", ("192.0.2.66", 9))
            client.send(b"x", ("www.forbidden.test", 9))
            client.send(b"x", ("no-such-name.test", 9))
        client.assert_echo(udp_echo.address)
        unresolved = program.wait_for_log("dropped datagrams for no-such-name.test: ", level="warn")[0]
        other = join(stranger.getsockname())
    assert "connection refused" in unresolved["msg"], "nobody waits for a name server that is not there"
    warnings = [line["msg"] for line in lines_of(program, unresolved["sid"]) if line["level"] == "warn"]
    assert sorted(warnings) == sorted([unresolved["msg"]] + [f"{text}; further ones are only counted" for text in (
        f"dropped a datagram of {other}, which is not this association's client",
        "dropped a datagram without a proper SOCKS header", "bypass: dropped a datagram for 192.0.2.66:9")])


def test_an_answer_that_is_too_long_is_dropped_whole(program):
    answers = [b"a" * 64, b"b" * 65, b"c" * 64]
    with contextlib.closing(UdpAnswering(answer=lambda _: answers)) as target:
        with contextlib.closing(Association(program.at["small"])) as client:
            client.send(b"x", target.address)
            assert [client.receive().payload for _ in range(2)] == [answers[0], answers[2]]


@pytest.mark.parametrize("size", [1, 1472, 1473, 9000, 65000, 65507 - 10])
def test_every_size(program, udp_echo, size):
    with contextlib.closing(Association(program.at["large"])) as client:
        client.assert_echo(udp_echo.address, peers.pattern(size))


# --- rules and limits ---

def test_forbidden_targets(program, udp_echo):
    with contextlib.closing(UdpAnswering("127.0.0.2")) as forbidden:
        with contextlib.closing(Association(program.at["bypass"])) as client:
            client.send(b"x", forbidden.address)
            client.assert_echo(udp_echo.address)
            connection = ends(client.control)
        assert last_line(program, connection)["droppedDatagrams"] == 1
        assert forbidden.received == []


def test_it_is_refused_where_it_is_off(program):
    with contextlib.closing(negotiated(program.at["off"])) as sock:
        connection = ends(sock)
        sock.sendall(wire.request5("0.0.0.0", 0, ASSOCIATE))
        assert wire.read_to_end(sock) == b"\x05\x02\x00\x01" + bytes(6)
    assert last_line(program, connection)["err"] == "socks5: UDP relay is disabled"


def test_a_client_has_only_so_many_associations(program, udp_echo):
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(contextlib.closing(Association(program.at["few"]))) for _ in range(3)]
        sock = stack.enter_context(contextlib.closing(negotiated(program.at["few"])))
        connection = ends(sock)
        sock.sendall(wire.request5("0.0.0.0", 0, ASSOCIATE))
        assert wire.read_reply5(sock)[0] == 1
        assert wire.read_to_end(sock) == b""
        assert "udp.maxAssociations" in last_line(program, connection)["err"]
        gone = ends(clients[0].control)
        clients[0].close()
        last_line(program, gone)
        client = stack.enter_context(contextlib.closing(Association(program.at["few"])))
        client.assert_echo(udp_echo.address)


def test_a_range_of_ports(gost, udp_echo):
    # Somewhere in the range a port may be taken by a stranger: it is long enough.
    low = 20000 + port_offset()
    program = gost("-L", f"socks5://127.0.0.1:0?udp=true&udp.minPort={low}&udp.maxPort={low + 30}")
    with contextlib.ExitStack() as stack:
        for _ in range(10):
            client = stack.enter_context(contextlib.closing(Association(program.address)))
            assert low <= client.relay[1] <= low + 30
            client.assert_echo(udp_echo.address)


def port_offset():
    """Keeps two runs at the same time apart."""
    with contextlib.closing(udp_socket()) as sock:
        return sock.getsockname()[1] % 8000


# --- the end ---

@pytest.mark.parametrize("leave", [lambda sock: sock.shutdown(socket.SHUT_WR), wire.reset], ids=["fin", "rst"])
def test_it_ends_with_the_control_connection(program, udp_echo, leave):
    with contextlib.closing(Association(program.at["udp"])) as client:
        client.assert_echo(udp_echo.address)
        connection = ends(client.control)
        leave(client.control)
        last_line(program, connection)
        # The port is closed: a connected socket is told so.
        with contextlib.closing(udp_socket()) as sock:
            sock.connect(client.relay)
            sock.send(b"x")
            with pytest.raises(ConnectionRefusedError):
                sock.recv(1)


def test_junk_on_the_control_connection_means_nothing(client, udp_echo):
    client.control.sendall(b"junk" * 50_000)
    client.assert_echo(udp_echo.address)


def test_the_idle_timeout(program, udp_echo):
    with contextlib.closing(Association(program.at["hasty"])) as client:
        client.assert_echo(udp_echo.address)
        connection = ends(client.control)
        assert wire.read_to_end(client.control) == b""
    last = last_line(program, connection)
    ended = [line["err"] for line in lines_of(program, last["sid"]) if " >-< " in line["msg"]]
    assert ended == ["no datagram for 500ms (option udp.idleTimeout)"]


def test_a_thousand_associations_come_and_go(program, udp_echo):
    for number in range(1000):
        with contextlib.closing(Association(program.at["udp"])) as client:
            if number % 10 == 0:
                client.assert_echo(udp_echo.address)


def test_the_end_of_the_program(gost, udp_echo):
    program = gost("-L", "socks5://127.0.0.1:0?udp=true")
    with contextlib.closing(Association(program.address)) as client:
        client.assert_echo(udp_echo.address)
        assert program.stop() == 0
        assert wire.read_to_end(client.control) == b""


# --- through a chain ---

@pytest.mark.parametrize("options", ["", "?relay=udp"], ids=["udp-tun", "associate"])
@pytest.mark.parametrize("hops", [1, 2])
def test_through_a_chain(gost, program, udp_echo, options, hops):
    arguments = ["-L", "socks5://127.0.0.1:0?udp=true"]
    for _ in range(hops):
        arguments += ["-F", f"socks5://127.0.0.1:{program.at['udp'][1]}{options}"]
    front = gost(*arguments)
    with contextlib.closing(Association(front.address)) as client:
        for target in (udp_echo.address, ("localhost", udp_echo.port)):
            client.assert_echo(target, b"through a chain")
        for burst in range(5):
            client.assert_echo(udp_echo.address, b"%d" % burst)


@pytest.mark.parametrize("options", ["", "?relay=udp"], ids=["udp-tun", "associate"])
def test_through_a_chain_that_does_not_work(gost, udp_echo, dead_port, options):
    front = gost("-L", "socks5://127.0.0.1:0?udp=true", "-F", f"socks5://127.0.0.1:{dead_port}{options}")
    with contextlib.closing(negotiated(front.address)) as sock:
        connection = ends(sock)
        sock.sendall(wire.request5("0.0.0.0", 0, ASSOCIATE))
        assert wire.read_reply5(sock)[0] == 5
        assert wire.read_to_end(sock) == b""
    assert last_line(front, connection)["err"].startswith(f"hop-0/node-0 (127.0.0.1:{dead_port}): ")
