"""imaplib fetches a mailbox, and parses nothing of what comes: client.py JOB PORT USER PASSWORD COUNT."""

import imaplib
import sys
import time

job, port, user, password = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
count = int(sys.argv[5])
items = {"envelopes": "(ENVELOPE BODYSTRUCTURE)", "bodies": "(BODY.PEEK[])"}[job]

client = imaplib.IMAP4("127.0.0.1", port)
client.login(user, password)
client.select("INBOX")


def fetch():
    status, data = client.fetch("1:*", items)
    assert status == "OK" and len(data) >= count, status


fetch()
cpu = time.process_time()
start = time.perf_counter()
fetch()
elapsed = time.perf_counter() - start
print("cpu_ms", (time.process_time() - cpu) * 1000)
print("ms", elapsed * 1000, flush=True)
