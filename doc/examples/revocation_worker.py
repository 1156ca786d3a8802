#!/usr/bin/python3
"""Kills credentials in another system that steward has revoked: claims tasks, calls the system, confirms or fails.

    revocation_worker.py SYSTEM [--once]

Needs Debian's python3-psycopg2 and a database role with the profile connector; libpq's environment says where the
database is.  STEWARD_DELETE is the command that kills one credential: it gets the external id as its argument, prints
what the other system answered, and exits with 0 only if the credential is dead there - also when it was dead before,
for a task may come twice.  Any number of workers may run beside each other.
"""
import json
import os
import select
import subprocess
import sys

import psycopg2
import psycopg2.extensions

LEASE = "2 minutes"    # longer than one call may take
TIMEOUT = 60           # seconds for one call
PATIENCE = 30          # seconds without a notification after which we look anyway: for failed ones and ended leases


def kill(external_id):
    """Calls the other system; answers with evidence, or raises."""
    done = subprocess.run([os.environ["STEWARD_DELETE"], external_id], capture_output=True, text=True, timeout=TIMEOUT)
    if done.returncode != 0:
        raise RuntimeError(f"exit status {done.returncode}: {done.stderr.strip()[:500]}")
    return {"answer": done.stdout.strip()[:2000], "worker": f"{os.uname().nodename}/{os.getpid()}"}


def work(connection, system):
    """Does what is due; answers with the number of tasks it had.  Claim and outcome are commits of their own."""
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT task_id, attempt, external_id FROM steward.claim_revocation_tasks(%s, 10, %s)",
                       (system, LEASE))
        tasks = cursor.fetchall()
    for task, attempt, external_id in tasks:
        try:
            call, outcome = "SELECT steward.confirm_revocation(%s, %s::jsonb, %s)", json.dumps(kill(external_id))
        except Exception as error:  # whatever went wrong there: the task comes back later
            call, outcome = "SELECT steward.fail_revocation(%s, %s, %s)", str(error) or type(error).__name__
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(call, (task, outcome, attempt))
        except psycopg2.DatabaseError as error:
            if not (error.pgcode or "").startswith("ST7"):
                raise
            print(f"{external_id}: {error.pgerror}", file=sys.stderr)  # the lease ended: another worker has it now
    return len(tasks)


def main():
    system, once = sys.argv[1], "--once" in sys.argv[2:]
    connection = psycopg2.connect("")
    with connection, connection.cursor() as cursor:
        cursor.execute("LISTEN steward_revocation")
    while True:
        while work(connection, system) > 0:
            pass
        if once:
            return
        select.select([connection], [], [], PATIENCE)
        connection.poll()
        connection.notifies.clear()


if __name__ == "__main__":
    main()
