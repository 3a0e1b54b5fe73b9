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
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

# Side of the images, colours, classes, stride of the stem, stages (width, depth, stride), head.
TABLE_1 = [(64, 4, 2), (112, 4, 1), (184, 4, 2), (352, 1, 1)]
PRESETS = {
    "digits": (8, 1, 10, 1, [(16, 1, 1), (24, 2, 1), (32, 2, 2), (48, 1, 1)], 128),
    "cifar-small": (
        32, 3, 10, 1, [(16, 1, 1), (24, 2, 2), (32, 2, 2), (64, 2, 2), (112, 1, 1)], 256),
    "cifar": (32, 3, 10, 1, [(16, 1, 1), (24, 4, 1), (32, 4, 2)] + TABLE_1, 1504),
    "imagenet": (224, 3, 1000, 2, [(16, 1, 1), (24, 4, 2), (32, 4, 2)] + TABLE_1, 1984),
}
# Kernel, expansion, groups of the candidates besides the skip.
CANDIDATES = [(k, e, g) for k in (3, 5) for e, g in ((1, 1), (1, 2), (3, 1), (6, 1))]


def convolution_norm(inputs, outputs, kernel=1, stride=1, groups=1, relu=True):
    layers = [
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    ]
    return nn.Sequential(*layers, *([nn.ReLU(inplace=True)] if relu else []))


class InvertedResidual(nn.Module):
    """1×1 expansion, k×k depthwise, linear 1×1; channels are shuffled where the 1×1 have groups."""

    def __init__(self, inputs, outputs, stride, kernel, expansion, groups):
        super().__init__()
        middle = inputs * expansion
        self.expand = convolution_norm(inputs, middle, groups=groups)
        self.shuffle = nn.ChannelShuffle(groups) if groups > 1 else nn.Identity()
        self.depthwise = convolution_norm(middle, middle, kernel, stride, groups=middle)
        self.project = convolution_norm(middle, outputs, groups=groups, relu=False)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x):
        y = self.project(self.depthwise(self.shuffle(self.expand(x))))
        return x + y if self.residual else y


def macs(inputs, outputs, side, stride, kernel, expansion, groups):
    middle = inputs * expansion
    after = ((side - 1) // stride + 1) ** 2
    return (inputs * middle // groups * side * side
            + (kernel * kernel * middle + middle * outputs // groups) * after)


class MixedLayer(nn.Module):
    """All candidates, weighted by one Gumbel-softmax sample for the batch."""

    def __init__(self, inputs, outputs, side, stride):
        super().__init__()
        keeps = stride == 1 and inputs == outputs
        blocks = [InvertedResidual(inputs, outputs, stride, *c) for c in CANDIDATES]
        blocks.append(nn.Identity() if keeps else convolution_norm(inputs, outputs, 1, stride))
        self.blocks = nn.ModuleList(blocks)
        costs = [macs(inputs, outputs, side, stride, *c) for c in CANDIDATES]
        costs.append(0 if keeps else inputs * outputs * ((side - 1) // stride + 1) ** 2)
        self.register_buffer("costs", torch.tensor(costs, dtype=torch.float32) / 1e3)
        self.theta = nn.Parameter(torch.full((len(blocks),), 1 / len(blocks)))

    def forward(self, x, temperature):
        weights = functional.gumbel_softmax(self.theta, temperature)
        mixed = sum(w * block(x) for w, block in zip(weights, self.blocks))
        return mixed, (weights * self.costs).sum()


class Supernet(nn.Module):
    def __init__(self, preset):
        super().__init__()
        side, colours, classes, stride, stages, head = PRESETS[preset]
        width = 16
        self.stem = convolution_norm(colours, width, 3, stride)
        side = (side - 1) // stride + 1
        layers = []
        for outputs, depth, stride in stages:
            for index in range(depth):
                step = stride if index == 0 else 1
                layers.append(MixedLayer(width, outputs, side, step))
                width = outputs
                side = (side - 1) // step + 1
        self.layers = nn.ModuleList(layers)
        self.head = nn.Sequential(
            convolution_norm(width, head), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
            nn.Linear(head, classes))

    def forward(self, x, temperature):
        x = self.stem(x)
        cost = x.new_zeros(())
        for layer in self.layers:
            x, layer_cost = layer(x, temperature)
            cost = cost + layer_cost
        return self.head(x), cost


def allocator():
    """The allocator that was preloaded, or the C library's."""
    try:
        maps = Path("/proc/self/maps").read_text()
    except OSError:
        return "unknown"
    return "tcmalloc" if "libtcmalloc" in maps else "malloc"


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
    thetas = [layer.theta for layer in net.layers]
    known = {id(theta) for theta in thetas}
    weights = [p for p in net.parameters() if id(p) not in known]
    optimisers = {
        "weights": torch.optim.SGD(weights, lr=0.1, momentum=0.9, weight_decay=1e-4),
        "theta": torch.optim.Adam(thetas, lr=0.01, weight_decay=5e-4),
    }
    side, colours, classes = PRESETS[options.preset][:3]
    images = torch.randn(options.batch, colours, side, side)
    images = images.contiguous(memory_format=torch.channels_last)
    labels = torch.randint(0, classes, (options.batch,))
    network = torch.compile(net) if options.compile else net

    def step(phase, all_gradients=False):
        start = time.perf_counter()
        for parameter in weights:
            parameter.requires_grad_(all_gradients or phase == "weights")
        for theta in thetas:
            theta.requires_grad_(all_gradients or phase == "theta")
        optimiser = optimisers[phase]
        for each in optimisers.values():
            each.zero_grad(set_to_none=True)
        scores, cost = network(images, 5.0)
        loss = functional.cross_entropy(scores, labels) * 0.2 * 0.6 * torch.log(cost)
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
