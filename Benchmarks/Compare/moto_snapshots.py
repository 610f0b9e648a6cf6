"""A moto server that knows many snapshots, put into its memory: `moto_snapshots.py PORT COUNT VOLUMES`, until it is ended.

The snapshots are the same as `catalog.py` writes into a catalog of Varve's.
"""
import sys
import threading
import types

from moto.ec2.models import ec2_backends
from moto.ec2.models.elastic_block_store import Snapshot
from moto.server import ThreadedMotoServer

from snapshot_names import snapshots


def main():
    port, count, volumes = map(int, sys.argv[1:4])
    backend = ec2_backends["123456789012"]["us-east-1"]
    known = {}
    for snapshot, volume in snapshots(count, volumes):
        of = known.setdefault(volume, types.SimpleNamespace(id=volume, size=1))
        backend.snapshots[snapshot] = Snapshot(backend, snapshot, of, "")
    ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False).start()
    threading.Event().wait()


main()
