#!/usr/bin/env python3
"""Verifies evidence from steward.export_evidence(): verify_evidence.py EVIDENCE.json [PUBLIC-KEY [CHECKPOINT-FILE]]

Give the key and the checkpoint that you kept; without them those in the evidence are used, which proves only that it fits
together.  Prints the event as it was sealed.  Needs Python 3 and Debian's python3-cryptography, and no database."""
import base64, datetime, hashlib, json, struct, sys, uuid
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FIELDS = """org_id incarnation xact n recorded_at occurred_at action version table_name row_key old_values new_values actor_principal
actor_credential actor_chain session_role acting_role application_name client_address claimed_actor targets context metadata""".split()

def decode(data):  # the canonical bytes: a version, then each field as a kind and a value
    at, event = 1, {}
    for name in FIELDS:
        kind, at = data[at], at + 1
        size = {0: 0, 1: 16, 2: 8, 4: 8}.get(kind)
        if size is None:
            size, at = int.from_bytes(data[at:at + 4], "big") * (16 if kind == 6 else 1), at + 4
        value, at = data[at:at + size], at + size
        event[name] = (None if kind == 0 else str(uuid.UUID(bytes=value)) if kind == 1 else struct.unpack(">q", value)[0] if kind == 2
                       else value.decode() if kind == 3 else json.loads(value) if kind == 5
                       else str(datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=struct.unpack(">q", value)[0])) + " UTC" if kind == 4
                       else [str(uuid.UUID(bytes=value[i:i + 16])) for i in range(0, size, 16)])
    assert data[0] == 1 and at == len(data), "the bytes are not an event"
    return event

def root_of(leaf, index, size, proof):  # RFC 9162, 2.1.3.2
    assert 0 <= index < size, "the index is not in the tree"
    node, fn, sn = leaf, index, size - 1
    for p in proof:
        assert sn > 0, "the proof is too long"
        if fn & 1 or fn == sn:
            node = hashlib.sha256(b"\x01" + p + node).digest()
            while not fn & 1 and fn: fn, sn = fn >> 1, sn >> 1
        else:
            node = hashlib.sha256(b"\x01" + node + p).digest()
        fn, sn = fn >> 1, sn >> 1
    return node if sn == 0 else None

evidence = json.load(open(sys.argv[1]))
name, key_id, key = (sys.argv[2] if len(sys.argv) > 2 else evidence["public_key"]).split("+", 2)
note = open(sys.argv[3]).read() if len(sys.argv) > 3 else evidence["checkpoint"]
body, signatures = note.split("\n\n", 1)
origin, size, root = body.split("\n")[:3]
raw = next(base64.b64decode(s.split(" ")[2]) for s in signatures.splitlines() if s.split(" ")[1] == name and base64.b64decode(s.split(" ")[2])[:4].hex() == key_id)
Ed25519PublicKey.from_public_bytes(base64.b64decode(key)[1:]).verify(raw[4:], (body + "\n").encode())  # raises when invalid
leaf = hashlib.sha256(b"\x00" + base64.b64decode(evidence["canonical"])).digest()
assert origin == name and root_of(leaf, evidence["leaf_index"], int(size), map(base64.b64decode, evidence["proof"])) == base64.b64decode(root), "the event is not in the log"
print(json.dumps(decode(base64.b64decode(evidence["canonical"])), indent=2, ensure_ascii=False))
print(f"verified: leaf {evidence['leaf_index']} of {size} in {origin}", file=sys.stderr)
