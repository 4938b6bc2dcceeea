"""poplib fetches a mailbox: fetcher.py PORT USER PASSWORD MESSAGES WARM_UP."""

import poplib
import sys
import time

port, user, password = int(sys.argv[1]), sys.argv[2], sys.argv[3]
messages, warm_up = int(sys.argv[4]), int(sys.argv[5])

client = poplib.POP3("127.0.0.1", port)
client.user(user)
client.pass_(password)


def fetch(count):
    for number in range(1, count + 1):
        client.retr(number)


fetch(warm_up)
cpu = time.process_time()
start = time.perf_counter()
fetch(messages)
elapsed = time.perf_counter() - start
print("cpu_ms", (time.process_time() - cpu) * 1000)
print("ms", elapsed * 1000, flush=True)
