"""Runs probes (see language.ts) with Python's socket module: probes in on stdin, a line of JSON a probe out on stdout.

A probe that still runs after ten seconds ends the program with a line that says so.
"""
import contextlib
import errno
import fcntl
import json
import os
import re
import shutil
import signal
import socket
import sys
import tempfile
import warnings

MAX_PROBE_SECONDS = 10


class Names(dict):
    """What the steps of one probe gave names to, and the folder of its own."""

    def __init__(self, folder):
        super().__init__()
        self.folder = folder

    def text(self, value):
        return value.replace("{tmp}", self.folder)

    def find(self, reference):
        name, *indices = re.findall(r"\w+", reference)
        value = self[name]
        for index in indices:
            value = value[int(index)]
        return value

    def value(self, arg):
        if isinstance(arg, list):
            return tuple(self.value(item) for item in arg)
        if isinstance(arg, dict):
            return self.special(arg)
        if not isinstance(arg, str):
            return arg
        if arg.startswith("$"):
            return constants(arg[1:])
        return self.find(arg[1:]) if arg.startswith("@") else self.text(arg)

    def special(self, arg):
        if "b" in arg:
            return self.text(arg["b"]).encode("latin-1")
        if "repeat" in arg:
            return arg["repeat"][0] * arg["repeat"][1]
        if "path" in arg:
            return (self.folder + "/").ljust(arg["path"], "p")
        return float(arg["float"])


def constants(names):
    value = 0
    for name in names.split("|"):
        value |= getattr(socket, name) if hasattr(socket, name) else MISSING[name]
    return value


# Constants that some Python lacks.
MISSING = {
    "IPPROTO_UDPLITE": 136,
    "IP_RECVTOS": 13,
    "IP_PKTINFO": 8,
    "IP_RECVTTL": 12,
    "IP_MULTICAST_ALL": 49,
}

# Functions of the language that are not the socket module's own.


def make_socket(family=-1, type=-1, protocol=-1):
    return socket.socket(family, type, protocol)


def send_to(s, data, address, flags=0):
    return s.sendto(data, flags, address)


def set_option(s, level, option, value, *length):
    return s.setsockopt(level, option, value, *length)


def create_server(address, options=None, dual=False, reuse_port=False):
    family = socket.AF_INET if options is None else options
    return socket.create_server(address, family=family, dualstack_ipv6=dual, reuse_port=reuse_port)


def create_connection(address, timeout=None, source=None):
    return socket.create_connection(address, timeout, source)


def received_fds(s, size, count):
    data, fds, flags, address = socket.recv_fds(s, size, count)
    cloexec = [bool(fcntl.fcntl(fd, fcntl.F_GETFD) & fcntl.FD_CLOEXEC) for fd in fds]
    for fd in fds:
        os.close(fd)
    return [data, cloexec, flags & ~getattr(socket, "MSG_CMSG_CLOEXEC", 0)]


def write_file(path, content):
    with open(path, "wb") as file:
        file.write(content)


FUNCTIONS = {
    "socket": make_socket,
    "fromfd": lambda fd: socket.socket(fileno=fd),
    "socketpair": lambda *args: list(socket.socketpair(*args)),
    "create_server": create_server,
    "create_connection": create_connection,
    "buffer": bytearray,
    "len": len,
    "send_fds": lambda s, data, fds: socket.send_fds(s, [data], list(fds)),
    "recv_fds": received_fds,
    "open": lambda path: os.open(path, os.O_RDONLY | os.O_CLOEXEC),
    "closefd": os.close,
    "openfile": lambda path: open(path, "rb"),
    "writefile": write_file,
    "position": lambda file: file.tell(),
    "exists": os.path.exists,
    "slice": lambda data, start, end: data[start:end],
    "fd_open": lambda fd: fd >= 0 and os.path.exists(f"/proc/self/fd/{fd}"),
    "getaddrinfo": lambda host, port=None, *hints: [list(item) for item in socket.getaddrinfo(host, port, *hints)],
}

METHODS = {
    "sendto": send_to,
    "setsockopt": set_option,
    "sendmsg": lambda s, buffers, items=(), address=None, flags=0: s.sendmsg(buffers, items, flags, address),
    "recv_into": lambda s, buffer, flags=0: s.recv_into(buffer, 0, flags),
    "recvfrom_into": lambda s, buffer, flags=0: s.recvfrom_into(buffer, 0, flags),
    "fileno": lambda s: "fd" if s.fileno() >= 0 else -1,
    "fd": lambda s: s.fileno(),
    "family": lambda s: int(s.family),
    "type": lambda s: int(s.type),
    "proto": lambda s: s.proto,
    "o_nonblock": lambda s: bool(fcntl.fcntl(s.fileno(), fcntl.F_GETFL) & os.O_NONBLOCK),
    "cloexec": lambda s: bool(fcntl.fcntl(s.fileno(), fcntl.F_GETFD) & fcntl.FD_CLOEXEC),
    "timeout_ms": lambda s: s.gettimeout() * 1000,
    "set_timeout": lambda s, value: s.settimeout(value),
    "getsockopt_truth": lambda s, level, option: s.getsockopt(level, option) != 0,
    "makefile": lambda s, mode="r", size=None: s.makefile(mode, size, encoding=None if "b" in mode else "utf-8"),
    "sendfile": lambda s, file, offset=0, count=None: s.sendfile(file, offset, count),
    "closed": lambda file: file.closed,
    "mode": lambda file: file.mode,
}

# Results whose second part is a port that the kernel chose.
ADDRESS_CALLS = {"getsockname", "getpeername"}


def run_call(names, call, args):
    target, _, method = call.rpartition(".")
    values = [names.value(arg) for arg in args]
    if target:
        thing = names.find(target)
        special = METHODS.get(method)
        return special(thing, *values) if special else getattr(thing, method)(*values)
    return FUNCTIONS[call](*values) if call in FUNCTIONS else getattr(socket, call)(*values)


def show(names, method, value):
    if method in ADDRESS_CALLS and isinstance(value, tuple):
        return show(names, "", hide_port(value))
    if method in ("accept", "recvfrom", "recvfrom_into") and isinstance(value[1], tuple):
        return show(names, "", (value[0], hide_port(value[1])))
    if method in ("recvmsg", "recvmsg_into") and isinstance(value[3], tuple):
        return show(names, "", (*value[:3], hide_port(value[3])))
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {"b": bytes(value).decode("latin-1").replace(names.folder, "{tmp}")}
    if isinstance(value, socket.socket):
        return {"socket": [int(value.family), int(value.type), value.proto]}
    if isinstance(value, (list, tuple)):
        return [show(names, "", item) for item in value]
    if isinstance(value, str):
        return show_text(names, value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        return int(value) if value == int(value) else value
    return "file" if hasattr(value, "read") or hasattr(value, "write") else repr(value)


def show_text(names, value):
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return show(names, "", os.fsencode(value))
    return value.replace(names.folder, "{tmp}")


def hide_port(address):
    return (address[0], "port" if address[1] else 0, *address[2:])


def show_error(error):
    if isinstance(error, socket.gaierror):
        return {"error": "resolver", "number": error.errno}
    if isinstance(error, socket.herror):
        return {"error": "host", "number": error.errno}
    if isinstance(error, OSError) and error.errno is not None:
        return {"error": "errno", "number": error.errno}
    if isinstance(error, socket.timeout):
        return {"error": "timeout"}
    text = str(error)
    if isinstance(error, OSError) and ("not found" in text or "no interface" in text):
        return {"error": "not found"}
    if isinstance(error, OSError) and "timed out object" in text:
        return {"error": "argument"}
    if isinstance(error, ValueError) and "closed" in text:
        return {"error": "errno", "number": errno.EBADF}
    if isinstance(error, (TypeError, ValueError, OverflowError, OSError, DeprecationWarning)):
        return {"error": "argument"}
    return {"error": type(error).__name__ + ": " + text}


def run_step(names, call, args):
    match = re.fullmatch(r"(~?)(?:(\w+)=)?(.+)", call)
    hidden, name, call = match.groups()
    method = call.rpartition(".")[2]
    try:
        value = run_call(names, call, args)
        if name:
            names[name] = value
        return "hidden" if hidden else show(names, method, value)
    except Exception as error:
        return show_error(error)


def close_all(names):
    for value in names.values():
        for item in value if isinstance(value, (list, tuple)) else [value]:
            if hasattr(item, "close"):
                with contextlib.suppress(OSError, ValueError):
                    item.close()


def run_probe(probe):
    folder = tempfile.mkdtemp(prefix="hawser-")
    names = Names(folder)
    signal.alarm(MAX_PROBE_SECONDS)
    try:
        return [run_step(names, *[step[0], step[1:]]) for step in probe["steps"]]
    finally:
        signal.alarm(0)
        close_all(names)
        socket.setdefaulttimeout(None)
        shutil.rmtree(folder)


def main():
    # Python 3.9 still cuts integers of htons short, with a warning where later ones raise.
    warnings.simplefilter("error", DeprecationWarning)
    for probe in json.load(sys.stdin):
        results = run_probe(probe)
        print(json.dumps({"name": probe["name"], "results": results}), flush=True)


main()
