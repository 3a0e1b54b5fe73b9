#!/usr/bin/env python3
"""The training step of `supertop bench supernet`, in PyTorch.

The same network, the same work: every candidate of every layer forward, the Gumbel-softmax mixture,
the cross-entropy times the logarithm of the expected cost, backward, and SGD with momentum on the
weights or, every fifth step, Adam on the architecture parameters. A step computes the gradients of
what it trains alone; the time of one on the architecture parameters that computes the weights'
gradients too is a field of its own. Prints one JSON object with supertop's fields.
"""
import argparse
import json
import math
import resource
import statistics
import time

import torch
from torch.nn import functional

from network import PRESETS, Supernet, allocator


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", default="cifar-small", choices=PRESETS)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--compile", action="store_true", help="torch.compile instead of eager")
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    net = Supernet(options.preset).to(memory_format=torch.channels_last)
    optimisers = {
        "weights": torch.optim.SGD(net.weights, lr=0.1, momentum=0.9, weight_decay=1e-4),
        "theta": torch.optim.Adam(net.thetas, lr=0.01, weight_decay=5e-4),
    }
    side, colours, classes = PRESETS[options.preset][:3]
    images = torch.randn(options.batch, colours, side, side)
    images = images.contiguous(memory_format=torch.channels_last)
    labels = torch.randint(0, classes, (options.batch,))
    sampled = torch.compile(net.sampled) if options.compile else net.sampled

    def step(phase, all_gradients=False):
        start = time.perf_counter()
        net.train_only("all" if all_gradients else phase)
        optimiser = optimisers[phase]
        for each in optimisers.values():
            each.zero_grad(set_to_none=True)
        scores, mixtures = sampled(images, 5.0)
        cost = torch.log(net.cost(mixtures) / 1e3)
        loss = functional.cross_entropy(scores, labels) * 0.2 * 0.6 * cost
        loss.backward()
        optimiser.step()
        if not math.isfinite(loss.item()):
            raise SystemExit("the loss is not a finite number")
        return time.perf_counter() - start

    for phase in ("weights", "theta"):
        step(phase)
    phases = ["theta" if i % 5 == 4 else "weights" for i in range(options.steps)]
    seconds, wasteful = [], []
    for phase in phases:
        seconds.append(step(phase))
        # Compiled, it would be a graph more to wait for.
        if phase == "theta" and not options.compile:
            wasteful.append(step(phase, all_gradients=True))
    median = statistics.median(seconds)

    def milliseconds(times):
        return round(1e3 * statistics.median(times), 3) if times else None

    def of(phase):
        return milliseconds([t for t, each in zip(seconds, phases) if each == phase])

    print(json.dumps({
        "engine": "torch " + torch.__version__ + (" compile" if options.compile else " eager"),
        "preset": options.preset,
        "batch": options.batch,
        "threads": options.threads,
        "steps": options.steps,
        "median_ms": round(median * 1e3, 3),
        "min_ms": round(min(seconds) * 1e3, 3),
        "weights_ms": of("weights"),
        "theta_ms": of("theta"),
        "theta_all_gradients_ms": milliseconds(wasteful),
        "allocator": allocator(),
        "images_per_s": round(options.batch / median, 2),
        "peak_rss_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }))


if __name__ == "__main__":
    main()
