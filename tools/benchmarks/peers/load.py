"""Load on `captioner serve`: so many connections, each of which sends the photos of a folder one after the other.

    python3 load.py CAPTIONER MODEL FOLDER --connections 8 [--threads 2]

Prints a JSON line: `times`, the milliseconds that the whole folder took, and p50 and p99 of the requests to standard error.
The service is started for it; the folder is sent once before it counts. CAPTIONER may be service.py, the peer.
"""

import argparse
import http.client
import json
import pathlib
import queue
import statistics
import subprocess
import sys
import threading
import time


def sent(port, photos, connections):
    """Seconds that all photos took, and milliseconds of each request."""
    waiting, took, failed = queue.SimpleQueue(), [], []
    for photo in photos:
        waiting.put(photo)

    def connection():
        client = http.client.HTTPConnection("127.0.0.1", port)
        while True:
            try:
                photo = waiting.get_nowait()
            except queue.Empty:
                return client.close()
            start = time.perf_counter()
            client.request("POST", "/v1/captions", photo, {"Content-Type": "image/jpeg"})
            answer = client.getresponse()
            body = answer.read()
            took.append((time.perf_counter() - start) * 1000)
            if answer.status != 200:
                failed.append(body)

    threads = [threading.Thread(target=connection) for _ in range(connections)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        sys.exit(f"{len(failed)} of {len(photos)} requests failed: {failed[0].decode()}")
    return time.perf_counter() - start, took


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("captioner")
    parser.add_argument("model")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repetitions", type=int, default=1)
    options = parser.parse_args()
    photos = [path.read_bytes() for path in sorted(options.folder.iterdir()) if path.is_file()]
    if options.captioner.endswith(".py"):
        name, command = "FastAPI, PyTorch", [sys.executable, pathlib.Path(__file__).parent / options.captioner, options.model]
    else:
        name, command = "serve", [options.captioner, "serve", "--port", "0", "--no-access-log", "--model", options.model]
    command += ["--threads", str(options.threads)]
    service = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        port = int(service.stderr.readline().rsplit(":", 1)[1])
        sent(port, photos, options.connections)
        times, requests = [], []
        for _ in range(options.repetitions):
            seconds, took = sent(port, photos, options.connections)
            times.append(seconds * 1000)
            requests += took
    finally:
        service.terminate()
        service.wait()
    centiles = statistics.quantiles(requests, n=100)
    print(f"{options.connections} connections: p50 {centiles[49]:.0f} ms, p99 {centiles[98]:.0f} ms", file=sys.stderr)
    print(json.dumps({"engine": f"{name}, {options.connections} connections", "precision": "f32",
                      "threads": options.threads, "times": times}))


if __name__ == "__main__":
    main()
