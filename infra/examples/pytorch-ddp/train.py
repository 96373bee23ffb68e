"""Trains a 784-64-10 network on handwritten digits with PyTorch, under torchrun and DistributedDataParallel.

    torchrun --nproc-per-node 1 train.py [--epochs 5] [--batch 64] [--data digits.bin.gz]

Each process has its part of every batch: by NCCL where there are GPUs, else by gloo. Rank 0 writes out/metrics.json and
out/model.pt, and after every epoch ckpt/checkpoint.pt, from which all go on when the job is started again.
"""

import argparse
import gzip
import json
import os
import time
from pathlib import Path

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.functional import cross_entropy
from torch.nn.parallel import DistributedDataParallel

PIXELS = 28 * 28
HELD_OUT = 1000
SEED = 1
CHECKPOINT = Path("ckpt/checkpoint.pt")


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--batch", type=int, default=64, help="over all processes; a multiple of their number")
    parser.add_argument("--data", type=Path, default=Path(__file__).parent / "digits.bin.gz")
    return parser.parse_args()


def read_digits(path: Path):
    """For each digit one byte of label, then 28×28 bytes of grey; the last 1,000 are held out."""
    records = torch.frombuffer(bytearray(gzip.decompress(path.read_bytes())), dtype=torch.uint8).view(-1, 1 + PIXELS)
    pixels = records[:, 1:].float() / 255
    labels = records[:, 0].long()
    return (pixels[:-HELD_OUT], labels[:-HELD_OUT]), (pixels[-HELD_OUT:], labels[-HELD_OUT:])


def make_network() -> nn.Module:
    return nn.Sequential(nn.Linear(PIXELS, 64), nn.ReLU(), nn.Linear(64, 10))


def own_batches(examples: int, batch: int, epoch: int):
    """Of every batch of the epoch, in an order that all ranks know, the part of this rank. A last smaller batch is left out."""
    order = torch.randperm(examples, generator=torch.Generator().manual_seed(SEED + epoch))
    for first in range(0, examples - batch + 1, batch):
        yield first + batch, order[first : first + batch][dist.get_rank() :: dist.get_world_size()]


class ProgressLines:
    """Prints `weir progress done/total examples`, from which weir tells when the job will be done."""

    def __init__(self, total: int):
        self.total, self.printed_at = total, 0.0

    def reached(self, done: int) -> None:
        if dist.get_rank() == 0 and (done == self.total or time.monotonic() - self.printed_at >= 1):
            print(f"weir progress {done}/{self.total} examples", flush=True)
            self.printed_at = time.monotonic()


def train_epoch(model, optimizer, train, options, epoch: int, progress: ProgressLines) -> float:
    """Answers the mean loss over all ranks."""
    pixels, labels = train
    losses = []
    for done, own in own_batches(len(labels), options.batch, epoch):
        optimizer.zero_grad()
        loss = cross_entropy(model(pixels[own]), labels[own])
        loss.backward()  # here DistributedDataParallel averages the gradients of all ranks
        optimizer.step()
        losses.append(loss.detach())
        progress.reached(epoch * len(labels) + done)
    mean = torch.stack(losses).mean()
    dist.all_reduce(mean)
    return mean.item() / dist.get_world_size()


def save_whole(content, path: Path) -> None:
    """Renamed into place, so that whoever reads the file, at whatever moment, reads a whole one."""
    path.parent.mkdir(exist_ok=True)
    partial = Path(f".{path.name}.partial")
    torch.save(content, partial)
    partial.replace(path)


def resume(network, optimizer, device) -> list:
    """Every rank starts from what rank 0 found: only its node has the checkpoint. Answers the metrics of the epochs done."""
    found = [None]
    if dist.get_rank() == 0 and CHECKPOINT.exists():
        found = [torch.load(CHECKPOINT, map_location="cpu", weights_only=True)]
    dist.broadcast_object_list(found, src=0, device=device)
    if found[0] is None:
        return []
    network.load_state_dict(found[0]["network"])
    optimizer.load_state_dict(found[0]["optimizer"])
    if dist.get_rank() == 0:
        print(f"resumed after epoch {len(found[0]['metrics'])}", flush=True)
    return found[0]["metrics"]


def run(options: argparse.Namespace, device: torch.device) -> None:
    train, held_out = [tuple(part.to(device) for part in digits) for digits in read_digits(options.data)]
    if options.batch % dist.get_world_size():
        raise SystemExit(f"--batch {options.batch} can't be shared out to {dist.get_world_size()} processes: use a multiple.")
    torch.manual_seed(SEED)
    network = make_network().to(device)
    optimizer = torch.optim.Adam(network.parameters(), 0.002)
    metrics = resume(network, optimizer, device)
    model = DistributedDataParallel(network)
    progress = ProgressLines(options.epochs * len(train[1]))
    is_first = dist.get_rank() == 0
    if is_first:
        print(f"{len(train[1])} digits to train on, {HELD_OUT} held out; {dist.get_world_size()} processes", flush=True)

    for epoch in range(len(metrics), options.epochs):
        loss = train_epoch(model, optimizer, train, options, epoch, progress)
        progress.reached((epoch + 1) * len(train[1]))
        with torch.no_grad():
            accuracy = (network(held_out[0]).argmax(1) == held_out[1]).float().mean().item()
        metrics.append({"epoch": epoch + 1, "loss": loss, "heldOutAccuracy": accuracy})
        if is_first:
            save_whole({"network": network.state_dict(), "optimizer": optimizer.state_dict(), "metrics": metrics}, CHECKPOINT)
            print(f"epoch {epoch + 1}/{options.epochs}: loss {loss:.4f}, {accuracy:.1%} of held-out digits right", flush=True)

    if is_first:
        out = Path("out")
        out.mkdir(exist_ok=True)
        (out / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
        save_whole(network.state_dict(), out / "model.pt")
        print("the model is in out/model.pt", flush=True)


def main() -> None:
    has_gpu = torch.cuda.is_available()
    device = torch.device("cuda", int(os.environ["LOCAL_RANK"])) if has_gpu else torch.device("cpu")
    if has_gpu:
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if has_gpu else "gloo")
    try:
        run(read_options(), device)
    finally:
        dist.destroy_process_group()


if __name__ == "__main__":
    main()
