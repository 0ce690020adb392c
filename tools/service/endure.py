"""What tools/service/endure asks of a service, and what it must see."""

import argparse
import collections
import http.client
import os
import pathlib
import random
import socket
import statistics
import sys
import threading
import time
import urllib.parse

CONNECTIONS, BROKEN, ABORTED, SLOW = 64, 0.05, 0.05, 0.02


class Load:
    def __init__(self, url, photos, seconds):
        self.host, self.port = urllib.parse.urlsplit(url).hostname, urllib.parse.urlsplit(url).port
        self.photos, self.until = photos, time.monotonic() + seconds
        self.counts, self.wrong, self.milliseconds = collections.Counter(), [], []

    def ask(self, body, pieces=1):
        """Status, and milliseconds; the body is written in so many pieces, a moment apart."""
        start = time.perf_counter()
        client = http.client.HTTPConnection(self.host, self.port, timeout=120)
        size = -(-len(body) // pieces)
        client.putrequest("POST", "/v1/captions")
        client.putheader("Content-Type", "image/jpeg")
        client.putheader("Content-Length", str(len(body)))
        client.endheaders()
        for start_byte in range(0, len(body), size):
            client.send(body[start_byte:start_byte + size])
            if pieces > 1:
                time.sleep(0.1)
        answer = client.getresponse()
        text = answer.read()
        client.close()
        return answer.status, text, (time.perf_counter() - start) * 1000

    def abort(self, body):
        """Half a photo, then nobody is there any more."""
        with socket.create_connection((self.host, self.port)) as gone:
            gone.sendall(f"POST /v1/captions HTTP/1.1\r\nHost: a\r\nContent-Type: image/jpeg\r\n"
                         f"Content-Length: {len(body)}\r\n\r\n".encode() + body[:len(body) // 2])

    def connection(self, number):
        chance = random.Random(number)
        while time.monotonic() < self.until:
            photo, kind = chance.choice(self.photos), chance.random()
            try:
                if kind < BROKEN:
                    self.note("broken", *self.ask(chance.randbytes(20_000)), {422, 415, 400, 503})
                elif kind < BROKEN + ABORTED:
                    self.abort(photo)
                    self.counts["aborted"] += 1
                elif kind < BROKEN + ABORTED + SLOW:
                    self.note("slow", *self.ask(photo, 30), {200, 503})
                else:
                    self.note("whole", *self.ask(photo), {200, 503})
            except OSError as error:
                self.wrong.append(f"connection: {error!r}")

    def note(self, kind, status, text, milliseconds, expected):
        self.counts[f"{kind} {status}"] += 1
        if status == 200:
            self.milliseconds.append(milliseconds)
        if status not in expected:
            self.wrong.append(f"{kind}: status {status}: {text[:200]!r}")


def held(process):
    """Megabytes in memory, files open."""
    status = pathlib.Path(f"/proc/{process}/status").read_text()
    resident = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
    return resident / 1024, len(os.listdir(f"/proc/{process}/fd"))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("process", type=int)
    parser.add_argument("photos", type=pathlib.Path)
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args()
    photos = [path.read_bytes() for path in sorted(options.photos.iterdir())
              if path.suffix.lower() in (".jpg", ".jpeg", ".png")]

    def run(seconds):
        load = Load(options.url, photos, seconds)
        threads = [threading.Thread(target=load.connection, args=(number,)) for number in range(CONNECTIONS)]
        for thread in threads:
            thread.start()
        marks = []
        while any(thread.is_alive() for thread in threads):
            time.sleep(1)
            marks.append(held(options.process)[0])
        return load, marks

    run(min(10, options.seconds / 4))  # what it keeps from then on is there
    time.sleep(1)
    before = held(options.process)
    load, marks = run(options.seconds)
    time.sleep(2)
    after = held(options.process)
    centiles = statistics.quantiles(load.milliseconds, n=100)
    print(", ".join(f"{kind}: {count}" for kind, count in sorted(load.counts.items())))
    print(f"{len(load.milliseconds) / options.seconds:.1f} captions a second, p50 {centiles[49]:.0f} ms, p99 {centiles[98]:.0f} ms")
    print(f"memory: {before[0]:.0f} MB before, at most {max(marks):.0f}, {after[0]:.0f} after; "
          f"files open: {before[1]} before, {after[1]} after")
    wrong = load.wrong
    if after[0] > before[0] * 1.1 + 20:
        wrong.append(f"memory grew from {before[0]:.0f} to {after[0]:.0f} MB")
    if after[1] > before[1] + 2:
        wrong.append(f"files open grew from {before[1]} to {after[1]}")
    for line in wrong[:10]:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
