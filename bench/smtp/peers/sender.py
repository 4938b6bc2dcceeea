"""smtplib sends the same message over one connection: sender.py PORT MESSAGES WARM_UP BYTES."""

import smtplib
import sys
import time

port, messages, warm_up, size = map(int, sys.argv[1:])

header = "\r\n".join([
    "From: Bench <bench@example.org>",
    "To: Sink <sink@example.org>",
    "Subject: a message of the bench",
    "Message-ID: <bench@example.org>",
    "",
    "",
])
line = "x" + ("abcdefghijklmnopqrstuvwxyz " * 3)[:71] + "\r\n"
message = ((header + line * (size // len(line) + 1))[: size - 2] + "\r\n").encode()

client = smtplib.SMTP("127.0.0.1", port, local_hostname="bench.example.org")
client.ehlo()


def send(count):
    for _ in range(count):
        client.sendmail("bench@example.org", ["sink@example.org"], message)


send(warm_up)
cpu = time.process_time()
start = time.perf_counter()
send(messages)
elapsed = time.perf_counter() - start
print("cpu_ms", (time.process_time() - cpu) * 1000)
print("ms", elapsed * 1000, flush=True)
