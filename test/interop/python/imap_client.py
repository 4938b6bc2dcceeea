"""Drives a server of IMAP with Python's imaplib: python3 imap_client.py HOST PORT USER PASSWORD [CA.pem]

With a CA the connection goes on in TLS by STARTTLS. The mailbox INBOX must be empty. Prints one line for each thing that
was seen to work, and ends with "done"; the first difference raises.
"""

import imaplib
import ssl
import sys
import threading

MESSAGE = (
    b"From: Alice <alice@example.test>\r\nTo: bob@example.test\r\nSubject: %s\r\n"
    b"Date: Mon, 7 Feb 1994 21:52:25 -0800\r\nMessage-ID: <%d@example.test>\r\n\r\nHello %d.\r\n"
)


def check(what, got, want):
    if got != want:
        raise AssertionError(f"{what}: got {got!r}, want {want!r}")
    print("ok", what)


def ok(what, answer):
    typ, data = answer
    if typ != "OK":
        raise AssertionError(f"{what}: {typ} {data!r}")
    print("ok", what)
    return data


def main(host, port, user, password, ca=None):
    client = imaplib.IMAP4(host, int(port), timeout=20)
    if ca is not None:
        client.starttls(ssl.create_default_context(cafile=ca))
    ok("LOGIN", client.login(user, password))
    check("state", client.state, "AUTH")
    ok("ENABLE", client.enable("CONDSTORE"))
    ok("NAMESPACE", client.namespace())
    ok("CREATE", client.create("work/letters"))
    ok("SUBSCRIBE", client.subscribe("work/letters"))
    names = ok("LIST", client.list())
    check("LIST", any(name.endswith(b" work/letters") for name in names), True)
    check("LSUB", any(b"work/letters" in name for name in ok("LSUB", client.lsub())), True)
    for number in range(1, 6):
        ok(f"APPEND {number}", client.append("INBOX", "(\\Flagged)" if number == 3 else None, None, MESSAGE % (b"number %d" % number, number, number)))
    check("SELECT", ok("SELECT", client.select()), [b"5"])
    check("STATUS", ok("STATUS", client.status("INBOX", "(MESSAGES UNSEEN)")), [b"INBOX (MESSAGES 5 UNSEEN 5)"])
    check("SEARCH", ok("SEARCH", client.search(None, "FLAGGED")), [b"3"])
    check("SEARCH text", ok("SEARCH", client.search("UTF-8", "SUBJECT", '"number 4"')), [b"4"])
    check("SORT", ok("SORT", client.sort("(REVERSE ARRIVAL SUBJECT)", "UTF-8", "ALL"))[0].split()[-1:] != [], True)
    ok("THREAD", client.thread("REFERENCES", "UTF-8", "ALL"))
    data = ok("FETCH", client.fetch("1", "(RFC822)"))
    check("RFC822", data[0][1], MESSAGE % (b"number 1", 1, 1))
    data = ok("UID FETCH", client.uid("FETCH", "2:3", "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])"))
    check("header", data[0][1], b"Subject: number 2\r\n\r\n")
    ok("PARTIAL", client.fetch("1", "(BODY.PEEK[]<0.10>)"))
    ok("COPY", client.copy("1:2", "work/letters"))
    ok("STORE", client.store("2", "+FLAGS", "(\\Deleted)"))
    check("EXPUNGE", ok("EXPUNGE", client.expunge()), [b"2"])
    check("NOOP", client.noop()[0], "OK")
    ok("EXAMINE", client.select("work/letters", readonly=True))
    ok("UNSELECT", client.unselect())
    second = imaplib.IMAP4(host, int(port), timeout=20)
    if ca is not None:
        second.starttls(ssl.create_default_context(cafile=ca))
    second.authenticate("PLAIN", lambda _: f"\0{user}\0{password}".encode())
    second.select()
    client.select()
    idle(client, second)
    ok("RENAME", client.rename("work/letters", "work/post"))
    ok("UNSUBSCRIBE", client.unsubscribe("work/letters"))
    ok("DELETE", client.delete("work/post"))
    ok("CLOSE", client.close())
    check("LOGOUT", client.logout()[0], "BYE")
    second.logout()
    print("done")


def idle(client, other):
    """imaplib has IDLE from Python 3.14 on; here it is spoken by hand."""
    client.send(b"idle1 IDLE\r\n")
    check("IDLE", client.readline()[:1], b"+")
    threading.Timer(0.1, lambda: other.append("INBOX", None, None, MESSAGE % (b"late", 9, 9))).start()
    seen = client.readline()
    while b"EXISTS" not in seen:
        seen = client.readline()
    print("ok IDLE hears of a message")
    client.send(b"DONE\r\n")
    while not client.readline().startswith(b"idle1 OK"):
        pass


if __name__ == "__main__":
    main(*sys.argv[1:])
