"""A caption service as one would write it in Python: FastAPI, uvicorn and the captioner of caption.py in PyTorch.

    python3 service.py MODEL.safetensors [--threads 2]

Says on standard error which port it listens on. A photo is read and captioned at a time, by all threads.
"""

import argparse
import io
import socket
import sys
import threading

import torch
import uvicorn
from caption import best_caption, pixels
from fastapi import FastAPI, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from model import Model


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    model = Model(options.model)
    one, app = threading.Lock(), FastAPI()

    def captioned(photo):
        with one, torch.inference_mode():
            seen = model.see(model.maps(pixels(io.BytesIO(photo), model.preprocessing, draft=True)))
            return best_caption(model, seen, 3, 20)

    @app.post("/v1/captions")
    async def captions(request: Request):
        try:
            words, total = await run_in_threadpool(captioned, await request.body())
        except OSError as error:
            raise HTTPException(422, str(error)) from error
        return {"captions": [{"caption": " ".join(words), "log_prob": total}]}

    listening = socket.create_server(("127.0.0.1", 0))
    print(f"listening on http://127.0.0.1:{listening.getsockname()[1]}", file=sys.stderr, flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listening])


if __name__ == "__main__":
    main()
