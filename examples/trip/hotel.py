"""Rooms: a participant over HTTP in Python, of the standard library alone. It also shows what a service may do wrong."""

import json
import os
import pathlib
import sqlite3
import threading
import time
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT = int(os.environ.get("PORT", "7003"))
PARCOMOLO = os.environ.get("PARCOMOLO", "http://localhost:8080")
DATA = pathlib.Path(os.environ.get("DATA", pathlib.Path(__file__).parent / "data"))
DATA.mkdir(parents=True, exist_ok=True)

db = sqlite3.connect(DATA / "hotel.sqlite", check_same_thread=False, isolation_level=None)
db.execute("CREATE TABLE IF NOT EXISTS rooms (trip_id PRIMARY KEY, room INTEGER, cancelled)")
lock = threading.Lock()

# How it behaves, to see what comes of it: curl -X PUT localhost:7003/mood -d slow
mood = "well"


def book_room(command):
    trip, known = command["tripId"], room_of(command["tripId"])
    if known and known[1]:  # it comes after its undo
        return 422, "HotelFull", {"tripId": trip, "reason": "the trip was cancelled"}
    if known:  # a repeat has no second effect, and gets the same answer
        return 200, "RoomBooked", {"tripId": trip, "room": known[0]}
    if command["nights"] > 14:
        return 422, "HotelFull", {"tripId": trip, "reason": "14 nights at most"}
    (count,) = db.execute("SELECT COUNT(*) FROM rooms").fetchone()
    db.execute("INSERT INTO rooms VALUES (?, ?, FALSE)", (trip, 101 + count))
    return 200, "RoomBooked", {"tripId": trip, "room": 101 + count}


def cancel_room(command):
    # Confirmed also where nothing was booked, and remembered.
    db.execute(
        "INSERT INTO rooms VALUES (?, 0, TRUE) ON CONFLICT DO UPDATE SET cancelled = TRUE", (command["tripId"],)
    )
    return 200, "RoomCancelled", {"tripId": command["tripId"]}


def room_of(trip):
    return db.execute("SELECT room, cancelled FROM rooms WHERE trip_id = ?", (trip,)).fetchone()


COMMANDS = {"BookRoom": book_room, "CancelRoom": cancel_room}


def answer_later(headers, kind, body, times):
    """The answer as an event: its causation is the command, its subject the command's."""
    time.sleep(1)
    for number in range(times):
        event = {
            "content-type": "application/json",
            "ce-id": f"{headers['ce-id']}/{number}",
            "ce-type": kind,
            "ce-subject": headers["ce-subject"],
            "ce-causationid": headers["ce-id"],
        }
        url = f"{PARCOMOLO}/participants/hotel/events"
        urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), event)).close()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        command = json.loads(self.rfile.read(int(self.headers["content-length"])))
        handle = COMMANDS.get(self.headers["ce-type"])
        if handle is None or mood == "broken":
            return self.answer(404 if handle is None else 500, None, {})
        with lock:
            status, kind, body = handle(command)
        if mood == "wrong":
            body = {"tripId": command["tripId"], "room": "the blue one"}
        if mood == "slow":
            time.sleep(4)  # longer than the contract's timeout
        if mood in ("late", "twice"):
            times = 2 if mood == "twice" else 1
            threading.Thread(target=answer_later, args=(dict(self.headers), kind, body, times)).start()
            return self.answer(202, None, {})
        self.answer(status, kind, body)

    def do_PUT(self):
        global mood
        mood = self.rfile.read(int(self.headers["content-length"])).decode()
        self.answer(200, None, {"mood": mood})

    def answer(self, status, kind, body):
        print(f"{self.headers.get('ce-id', self.path)}: {status} {body}", flush=True)
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        if kind:
            self.send_header("ce-type", kind)
        try:
            self.end_headers()
            self.wfile.write(text)
        except (BrokenPipeError, ConnectionResetError):
            pass  # nobody waits any more; the command comes again

    def log_message(self, *_):
        """Each answer is printed already."""


print(f"rooms at http://localhost:{PORT}/commands", flush=True)
ThreadingHTTPServer(("", PORT), Handler).serve_forever()
