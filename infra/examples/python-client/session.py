"""A job from its quote to its bill, by a client that openapi-python-client makes of openapi.yaml.

    pip install openapi-python-client==0.29.1
    openapi-python-client generate --path openapi.yaml --output-path weir_client --meta none
    WEIR_URL=http://127.0.0.1:8080 WEIR_KEY=weir_… PYTHONPATH=. python3 infra/examples/python-client/session.py
"""

import os
import sys
import time
from collections import deque
from pathlib import Path

import httpx
from weir_client import AuthenticatedClient
from weir_client.api.artifacts import download_artifact, list_artifacts
from weir_client.api.jobs import get_job, list_log_lines, submit_job
from weir_client.api.quotes import create_quote
from weir_client.api.tenants import list_statement
from weir_client.models import NewJob, NewQuote, Problem

SPEC = {
    "name": "line",
    "command": "python3 train.py",
    "files": {"train.py": Path(__file__).with_name("train.py").read_text()},
    "outputs": ["out/"],
    "resources": {"cpus": 1, "memoryGiB": 1, "diskGiB": 1},
    "workload": {"expectedDuration": "3s"},
    "maxDuration": "10m",
}
ENDED = ("succeeded", "failed", "cancelled")


def checked(answer):
    """What the server answered, unless that is a problem: then its words, and each fault at its field."""
    if isinstance(answer, Problem):
        faults = [f"  {fault.pointer}: {fault.detail}" for fault in answer.errors or []]
        sys.exit("\n".join([answer.detail, *faults]))
    return answer


def each_of(operation, *arguments, client):
    """The items of every page of a list."""
    cursor = {}
    while cursor is not None:
        page = checked(operation.sync(*arguments, client=client, limit=1000, **cursor))
        yield from page.items
        cursor = None if page.next_cursor is None else {"cursor": page.next_cursor}


def follow(job, client):
    """Says what becomes of a job, until it has ended."""
    said = None
    while True:
        progress = job.progress.to_dict() if job.progress else {}
        now = f"{job.state} {progress['done']:g}/{progress['total']:g}" if progress.get("total") else f"{job.state}"
        if now != said:
            print(now)
        if job.state in ENDED:
            return job
        said = now
        time.sleep(0.5)
        job = checked(get_job.sync(job.id, client=client))


def main():
    client = AuthenticatedClient(base_url=os.environ["WEIR_URL"], token=os.environ["WEIR_KEY"])

    quote = checked(create_quote.sync(client=client, body=NewQuote.from_dict(SPEC)))
    option = next((option for option in quote.options if option.id == quote.recommended), None)
    if option is None:
        sys.exit("No machine can run this now: " + "; ".join(quote.options[0].reasons))
    cost, seconds = option.cost_usd, option.duration_seconds
    print(f"quote     {option.offer.machine_type}: {seconds.p50:.0f} s, ${cost.p10:.6f} to ${cost.p90:.6f}")

    job = checked(submit_job.sync(client=client, body=NewJob.from_dict({**SPEC, "quoteId": quote.id})))
    print(f"job       {job.id}")
    job = follow(job, client)

    for line in deque(each_of(list_log_lines, job.id, client=client), maxlen=3):
        print(f"log       {line.text}")

    for artifact in each_of(list_artifacts, job.id, client=client):
        answer = download_artifact.sync_detailed(job.id, artifact.path, client=client)
        checked(answer.parsed)
        content = httpx.get(answer.headers["location"]).raise_for_status().content
        print(f"artifact  {artifact.path}: {len(content)} bytes, ends with {content.splitlines()[-1].decode()}")

    for entry in each_of(list_statement, job.tenant, client=client):
        if entry.job == job.id and entry.account == "spent":
            print(f"bill      {entry.kind} ${entry.amount_usd:.6f}: {entry.note}")
    print(f"cost      ${job.cost.final_usd:.6f}, quoted ${cost.p50:.6f}")
    return 0 if job.state == "succeeded" else 1


if __name__ == "__main__":
    sys.exit(main())
