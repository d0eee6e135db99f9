#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""usage: kvd.py KVD BACKEND CHECK

Starts the server KVD on a file of its own in the current directory, and checks one thing about
it: with pymemcache as client where that can say it, with bytes where it cannot. What a key has
is what liblmdb says.
"""
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time

import lmdb
from pymemcache.client.base import Client
from pymemcache.exceptions import MemcacheServerError

KEYS = 3000
SOCKET = "./kvd.sock"
FILE = "kvd.mdb"
LONGEST = b"k" * 250


def key_of(i):
    return b"key%05d" % i


def build():
    """Every third key is absent. Values are short, of some pages, and of very many."""
    rng = random.Random(1)
    env = lmdb.open(FILE, subdir=False, map_size=1 << 28, lock=False, max_dbs=2)
    with env.begin(write=True) as txn:
        for i in range(KEYS):
            if i % 3:
                txn.put(key_of(i), b"value of %d " % i + rng.randbytes(rng.randrange(300)))
        for i in range(200):
            txn.put(b"page%03d" % i, rng.randbytes(4000 + i))
        txn.put(b"empty", b"")
        txn.put(b"crlf", b"\r\nEND\r\n")
        txn.put(b"huge", rng.randbytes(3 << 20))
        txn.put(LONGEST, b"longest")
        txn.put(b"other", b"main", db=None)
    named = env.open_db(b"named")
    with env.begin(write=True) as txn:
        txn.put(b"other", b"named", db=named)
    env.close()


class Oracle:
    def __init__(self):
        self.env = lmdb.open(FILE, subdir=False, readonly=True, lock=False)
        self.txn = self.env.begin()

    def get(self, key):
        return self.txn.get(key)

    def answer(self, *keys):
        """All that `get` sends."""
        out = b""
        for key in keys:
            val = self.get(key)
            if val is not None:
                out += b"VALUE %s 0 %d\r\n%s\r\n" % (key, len(val), val)
        return out + b"END\r\n"


class Server:
    """Its process; at the end it must have said nothing and leave with 0."""

    def __init__(self, *options, listen=SOCKET, stderr=b""):
        self.stderr = stderr
        self.proc = subprocess.Popen(
            [sys.argv[1], "--backend", sys.argv[2], "--listen", listen, *options, FILE],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.said = self.proc.stdout.readline().decode()
        assert self.said.startswith("kvd: "), self.proc.stderr.read().decode()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind:
            self.proc.kill()
            if not self.proc.stderr.closed:
                print(self.proc.stderr.read().decode())
            return
        self.stop()

    def stop(self, timeout=10):
        if self.proc.returncode is None:
            self.proc.send_signal(signal.SIGTERM)
        _, err = self.proc.communicate(timeout=timeout)
        assert re.fullmatch(self.stderr, err), err.decode()
        assert self.proc.returncode == 0, self.proc.returncode
        assert not os.path.exists(SOCKET)

    def rss(self):
        with open("/proc/%d/status" % self.proc.pid, encoding="ascii") as f:
            return int(re.search(r"VmRSS:\s*(\d+)", f.read()).group(1)) << 10


def connect(buffer=None):
    s = socket.socket(socket.AF_UNIX)
    if buffer:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    s.settimeout(60)
    s.connect(SOCKET)
    return s


def client():
    return Client("unix:" + SOCKET, timeout=60)


def stats():
    c = client()
    st = {k.decode(): v.decode() if isinstance(v, bytes) else v for k, v in c.stats().items()}
    c.close()
    return st


def receive(s, size):
    out = b""
    while len(out) < size:
        got = s.recv(size - len(out))
        if not got:
            break
        out += got
    return out


def expect(s, want):
    got = receive(s, len(want))
    if got != want:
        at = next((i for i, (a, b) in enumerate(zip(got, want)) if a != b),
                  min(len(got), len(want)))
        raise AssertionError("at byte %d of %d: %r instead of %r" % (
            at, len(want), got[at - 20:at + 60], want[at - 20:at + 60]))


def until(what, seconds=30):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it does not come to it"
        time.sleep(0.02)


def check_answers():
    """pymemcache finds what liblmdb does."""
    oracle = Oracle()
    keys = [key_of(i) for i in range(KEYS)] + [b"empty", b"crlf", b"huge", LONGEST]
    with Server():
        c = client()
        for key in keys[::7] + keys[-4:]:
            assert c.get(key) == oracle.get(key), key
        for i in range(0, len(keys), 100):
            want = {k: oracle.get(k) for k in keys[i:i + 100] if oracle.get(k) is not None}
            assert c.get_many(keys[i:i + 100]) == want
        first, again = c.gets(b"key00001"), c.gets(b"key00001")
        assert first[0] == oracle.get(b"key00001") and first == again
        assert c.gets(b"key00002")[1] != first[1] and c.gets(b"key00003") == (None, None)
        assert c.version()
        st = stats()
        asked = len(keys[::7] + keys[-4:]) + len(keys) + 4
        assert int(st["cmd_get"]) == asked, st
        assert int(st["get_hits"]) + int(st["get_misses"]) == asked, st
        absent = sum(oracle.get(k) is None for k in keys[::7] + keys[-4:] + keys) + 1
        assert int(st["get_misses"]) == absent, st
        assert st["backend"] == sys.argv[2] and int(st["hops"]) > asked, st
        kernel = int(st["kernel_hops"]) > asked if sys.argv[2] == "kernel" else \
            int(st["kernel_hops"]) == 0
        assert kernel, st
        c.quit()


def check_db():
    """--db, and TCP at a port that is free."""
    with Server("--db", "named", listen="127.0.0.1:0") as server:
        c = Client(("127.0.0.1", int(re.search(r"port (\d+)", server.said).group(1))), timeout=60)
        assert c.get(b"other") == b"named" and c.get(b"key00001") is None
        c.close()


def check_pipelined():
    """Many connections, with many requests each before the first answer is looked at."""
    oracle, rng = Oracle(), random.Random(2)
    with Server("--queue-depth", "16"):
        conns = []
        # An emulated machine has less to do.
        for _ in range(8 if sys.argv[2] == "kernel" else 40):
            lists = [[key_of(rng.randrange(KEYS)) for _ in range(rng.choice((1, 1, 5, 40)))] +
                     ([b"page%03d" % rng.randrange(200)] if rng.random() < 0.3 else [])
                     for _ in range(60)]
            s = connect()
            s.sendall(b"".join(b"get " + b" ".join(keys) + b"\r\n" for keys in lists))
            conns.append((s, b"".join(oracle.answer(*keys) for keys in lists)))
        for s, want in conns:
            expect(s, want)
            s.close()
        assert int(stats()["queue_full"]) > 0


def check_full():
    """One place in the queue for all."""
    oracle = Oracle()
    keys = [key_of(i) for i in range(100)]
    with Server("--queue-depth", "1"):
        conns = [connect() for _ in range(20)]
        for s in conns:
            s.sendall(b"get " + b" ".join(keys) + b"\r\n")
        for s in conns:
            expect(s, oracle.answer(*keys))
        st = stats()
        assert int(st["queue_full"]) > 0 and st["queue_depth"] in (1, "1"), st


def check_bytewise():
    """Requests that come byte by byte, and one whose end never does."""
    oracle = Oracle()
    with Server():
        s = connect()
        for byte in b"get key00001 key00003 page007\r\nversion\nget  empty \r\n":
            s.sendall(bytes([byte]))
            time.sleep(0.001)
        version = receive(s, len(oracle.answer(b"key00001", b"page007")) + 5)
        want = oracle.answer(b"key00001", b"page007")
        assert version.startswith(want), version
        rest = version[len(want):]
        while not rest.endswith(b"END\r\n"):
            rest += receive(s, 1)
        assert re.fullmatch(rb"VERSION \S+\r\n" + oracle.answer(b"empty"), rest), rest
        s.sendall(b"get key00001")
        s.shutdown(socket.SHUT_WR)
        assert s.recv(100) == b""


def check_malformed():
    """What is refused, and that the next request is understood."""
    long_line = b"get " + b"x" * 200000
    many = b"get " + b" ".join([b"key00001"] * 7000)
    cases = [
        (b"", b"ERROR\r\n"),
        (b"nonsense", b"ERROR\r\n"),
        (b"get", b"ERROR\r\n"),
        (b"get ", b"ERROR\r\n"),
        (b"GET key00001", b"ERROR\r\n"),
        (b"getx key00001", b"ERROR\r\n"),
        (b"version now", b"ERROR\r\n"),
        (b"\0\xff", b"ERROR\r\n"),
        (b"get " + b"k" * 251, b"CLIENT_ERROR key is longer than 250 bytes\r\n"),
        (b"get key00001 " + b"k" * 251, b"CLIENT_ERROR key is longer than 250 bytes\r\n"),
        (b"get key\t", b"CLIENT_ERROR control character in a key\r\n"),
        (b"get key\0", b"CLIENT_ERROR control character in a key\r\n"),
        (b"set a 0 0 5\r\nget a", b"SERVER_ERROR this server is read-only\r\n"),
        (b"set a 0 0 9 noreply\r\nquit\r\nxyz", b""),
        (b"set a 0 0 -1", b"CLIENT_ERROR bad data chunk\r\n"),
        (b"set a", b"CLIENT_ERROR bad data chunk\r\n"),
        (b"set a 0 0 100000\r\n" + b"\r\n" * 50000, b"SERVER_ERROR this server is read-only\r\n"),
        (b"delete a", b"SERVER_ERROR this server is read-only\r\n"),
        (b"incr a 1 noreply", b""),
        (long_line, b"CLIENT_ERROR line too long\r\n"),
        (long_line[:65537], b"CLIENT_ERROR line too long\r\n"),
    ]
    oracle = Oracle()
    with Server():
        for request, answer in cases:
            s = connect()
            s.sendall(request + b"\r\nget key00001\r\n")
            expect(s, answer + oracle.answer(b"key00001"))
            s.close()
        # All on one connection, too.
        s = connect()
        s.sendall(b"".join(request + b"\r\n" for request, _ in cases) + many + b"\r\n")
        expect(s, b"".join(answer for _, answer in cases) + oracle.answer(*[b"key00001"] * 7000))
        s.sendall(b"quit\r\nget key00001\r\n")
        assert s.recv(100) == b""


def check_deaf():
    """Who never reads is not read from: memory is bounded, and others are served."""
    oracle = Oracle()
    request = b"get " + b" ".join(b"page%03d" % i for i in range(200)) + b"\r\n"
    with Server("--queue-depth", "8", stderr=rb"kvd: connections that did not .*: 20\n") as server:
        c = client()
        assert c.get(b"key00001") == oracle.get(b"key00001")
        before = server.rss()
        deaf = [connect(4096) for _ in range(20)]
        sent = [0] * len(deaf)
        for s in deaf:
            s.settimeout(0)
        # Until nothing has been taken for a while.
        quiet = time.monotonic()
        while time.monotonic() < quiet + 1:
            for i, s in enumerate(deaf):
                try:
                    n = s.send(request[sent[i] % len(request):])
                except BlockingIOError:
                    continue
                sent[i] += n
                quiet = time.monotonic()
            assert max(sent) < 8 << 20, "it takes whatever comes"
            time.sleep(0.001)
        # Requests of LINE_ROOM; answers below ANSWER_BYTES, and 32 on the way of 4200 bytes.
        bound = len(deaf) * (65536 + 65536 + 32 * 4600)
        grown = server.rss() - before
        # The sanitizers keep freed memory for a while.
        assert grown < 3 * bound, (grown, bound)
        for i in range(1, 300):
            assert c.get(key_of(i)) == oracle.get(key_of(i))
        assert int(stats()["in_flight"]) == 0
        # One of them reads after all, and finds its answers in order.
        s = deaf[0]
        s.settimeout(60)
        whole = oracle.answer(*[b"page%03d" % i for i in range(200)])
        expect(s, whole * (sent[0] // len(request)))
        s.close()
        deaf[0] = connect(4096)
        deaf[0].sendall(request * 20)
        time.sleep(0.5)
        c.close()
        # They are waited for, but not for ever.
        start = time.monotonic()
        server.stop()
        assert 3 < time.monotonic() - start < 9
    for s in deaf:
        s.close()


def check_disconnect():
    """Clients that go while lookups are in flight, in the middle of a line, and half."""
    oracle = Oracle()
    request = b"get " + b" ".join(key_of(i) for i in range(100)) + b"\r\n"
    with Server("--queue-depth", "4"):
        for i in range(300):
            s = connect()
            s.sendall(request * 5 + b"get key0"[:i % 8])
            if i % 3 == 0:
                s.recv(10)
            s.close()
        s = connect()
        s.sendall(request)
        s.shutdown(socket.SHUT_WR)
        want = oracle.answer(*[key_of(i) for i in range(100)])
        expect(s, want)
        assert s.recv(1) == b""
        until(lambda: int(stats()["curr_connections"]) == 1)
        until(lambda: int(stats()["in_flight"]) == 0)


def check_sigterm():
    """A command that has been begun is answered to its end; none is begun after."""
    oracle = Oracle()
    keys = [b"page%03d" % i for i in range(200)] * 4
    request = b"get " + b" ".join(keys) + b"\r\n"
    with Server("--queue-depth", "4") as server:
        conns = [connect() for _ in range(8)]
        idle = connect()
        for s in conns:
            s.sendall(request + b"get key00001\r\n")
        # 3 MB are more than sockets hold.
        for s in conns:
            assert s.recv(1) == b"V"
        server.proc.send_signal(signal.SIGTERM)
        assert idle.recv(1) == b""
        try:
            connect()
            raise AssertionError("it still listens")
        except OSError:
            pass
        want = oracle.answer(*keys)[1:]
        for s in conns:
            # All together that is longer than it waits for one that takes nothing.
            time.sleep(1)
            expect(s, want)
            assert s.recv(1) == b""
        assert server.proc.wait(10) == 0
    with Server(stderr=rb"kvd: connections that did not .*: 1\n") as server:
        s = connect()
        s.sendall(request)
        assert s.recv(1) == b"V"
        server.proc.send_signal(signal.SIGINT)
        time.sleep(0.3)
        start = time.monotonic()
        server.proc.send_signal(signal.SIGINT)
        server.proc.wait(10)
        assert time.monotonic() - start < 3, "the second signal waits"


def check_connections():
    """More than --connections wait until there is room."""
    oracle = Oracle()
    with Server("--connections", "2"):
        conns = [connect() for _ in range(3)]
        for s in conns:
            s.sendall(b"get key00001\r\n")
        want = oracle.answer(b"key00001")
        expect(conns[0], want)
        expect(conns[1], want)
        conns[2].settimeout(0.5)
        try:
            conns[2].recv(1)
            raise AssertionError("a third one is served")
        except socket.timeout:
            pass
        conns[0].close()
        conns[2].settimeout(60)
        expect(conns[2], want)


def check_damaged():
    """A key that cannot be looked up ends its command, and no other."""
    with open(FILE, "r+b") as f:
        data = f.read()
        leaves = [at for at in range(8192, len(data), 4096)
                  if data[at:at + 8] == (at // 4096).to_bytes(8, "little") and
                  data[at + 10:at + 12] == b"\x02\0" and b"value of" in data[at:at + 4096]]
        # Offsets of its entries are beyond the page.
        f.seek(leaves[len(leaves) // 2] + 16)
        f.write(b"\xff" * 64)
    with Server():
        c, found, bad = client(), {}, []
        for i in range(KEYS):
            try:
                found[key_of(i)] = c.get(key_of(i))
            except MemcacheServerError as e:
                assert "page" in str(e), e
                bad.append(key_of(i))
        assert bad and len(found) > KEYS // 2, (len(bad), len(found))
        good = [k for k, v in found.items() if v is not None][:3]
        s = connect()
        s.sendall(b"get %s %s %s %s\r\nget %s\r\n" % (good[0], bad[0], good[1], bad[-1], good[2]))

        def line(key):
            return b"VALUE %s 0 %d\r\n%s\r\n" % (key, len(found[key]), found[key])
        want = line(good[0]) + b"SERVER_ERROR "
        expect(s, want)
        rest = b""
        while not rest.endswith(b"END\r\n"):
            rest += receive(s, 1)
        assert re.fullmatch(rb"[^\r\n]*\r\n" + re.escape(line(good[2])) + b"END\r\n", rest,
                            re.DOTALL), rest
        assert int(stats()["get_errors"]) >= len(bad) + 1


def check_usage():
    """What it is called with wrongly."""
    for status, says, *args in (
            (2, "FILE is missing",), (2, "only one FILE", FILE, FILE),
            (2, "is not a number", "--queue-depth", "0", FILE),
            (2, "is not a number", "--connections", "-1", FILE),
            (2, "is not a backend", "--backend", "fast", FILE),
            (2, "neither ADDR:PORT", "--listen", "nowhere", FILE),
            (5, "No such file", "nothing.mdb"),
            (2, "no database nameless", "--db", "nameless", FILE),
            (5, "in use", "--listen", SOCKET, FILE)):
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(SOCKET)
            res = subprocess.run([sys.argv[1], *args], capture_output=True, timeout=60, check=False)
        os.unlink(SOCKET)
        assert res.returncode == status and says in res.stderr.decode(), (args, res)
        assert not res.stdout


build()
globals()["check_" + sys.argv[3]]()
