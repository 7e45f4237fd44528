"""Follow a running board with nothing but pyzmq: the PUB socket speaks JSON. A board on which nothing happens beats, too."""

import json
import os
import sys

import zmq

base = os.environ.get("XDG_RUNTIME_DIR") or (os.environ.get("TMPDIR") if sys.platform == "darwin" else None)
folder = os.environ.get("BELLBOARD_RUNTIME_DIR") or (f"{base}/bellboard" if base else f"/tmp/bellboard-{os.getuid()}")
socket = zmq.Context.instance().socket(zmq.SUB)
socket.connect(f"ipc://{folder}/events.sock")
socket.subscribe(b"session.")
socket.subscribe(b"heartbeat")
while True:
    topic, data = socket.recv_multipart()
    event = json.loads(data)
    if event["kind"] == "heartbeat":
        print("heartbeat", event["seq"], flush=True)
        continue
    session = event["session"]
    print(event["kind"], event["source"], event["id"], session["activity"], session["message_count"], flush=True)
    if event["kind"] == sys.argv[-1]:
        break
