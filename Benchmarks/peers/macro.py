#!/usr/bin/env python3
"""A supernet of NAS-Bench-Macro's space, trained by even draws, and networks with its weights.

The yardstick of `Benchmarks/run macro-study`: the network, the recipe, the split and the evaluation
are those of a random search of `supertop search`. Of each layer a step computes a few candidates,
each as often as any other, mixed by a Gumbel-softmax of equal logits. Then the batch-norm
statistics are computed again for each network, which is evaluated on the images that train no
weights. Prints one JSON object.
"""
import argparse
import json
import math
import time
from pathlib import Path

import numpy
import torch
from torch import nn
from torch.nn import functional

from network import InvertedResidual, Supernet, convolution_norm
from search import Images, split


# Of the space: stem, stages (width, depth), each beginning with stride 2, head; and kernel and
# expansion of the table's digits.
STEM, STAGES, HEAD = 32, [(64, 2), (128, 3), (256, 3)], 1280
CANDIDATES = [None, (3, 3), (5, 6)]


class Layers(nn.Module):
    """The supernet; candidates in the order of the table's digits."""

    def __init__(self, classes):
        super().__init__()
        self.stem = convolution_norm(3, STEM, 3)
        self.layers, width = nn.ModuleList(), STEM
        for outputs, depth in STAGES:
            for stride in [2] + [1] * (depth - 1):
                self.layers.append(nn.ModuleList(
                    block(each, width, outputs, stride) for each in CANDIDATES))
                width = outputs
        self.head = nn.Sequential(
            convolution_norm(width, HEAD), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
            nn.Linear(HEAD, classes))

    def forward(self, x, mixtures):
        """Scores; a mixture is a list of candidates of a layer with their weights."""
        x = self.stem(x)
        for layer, mixture in zip(self.layers, mixtures):
            x = sum(weight * layer[index](x) for index, weight in mixture)
        return self.head(x)

    def alone(self, x, architecture):
        x = self.stem(x)
        for layer, index in zip(self.layers, architecture):
            x = layer[index](x)
        return self.head(x)


def block(candidate, inputs, outputs, stride):
    if candidate:
        return InvertedResidual(inputs, outputs, stride, *candidate, groups=1)
    if inputs == outputs and stride == 1:
        return nn.Identity()
    return convolution_norm(inputs, outputs, 1, stride)


class Draws:
    """Candidates of the layers, in rounds in which each comes first once."""

    def __init__(self, net, paths):
        self.sizes = [len(layer) for layer in net.layers]
        self.paths, self.step, self.orders = paths, 0, None

    def __call__(self, images, temperature):
        if self.step % max(self.sizes) == 0:
            self.orders = [torch.randperm(size).tolist() for size in self.sizes]
        turn, self.step = self.step % max(self.sizes), self.step + 1
        mixtures = []
        for order in self.orders:
            drawn = [order[(turn + place) % len(order)] for place in range(self.paths)]
            if self.paths == 1:
                mixtures.append([(drawn[0], 1)])
                continue
            noise = -torch.log(-torch.log(torch.rand(images, self.paths).clamp(1e-9, 1 - 1e-7)))
            weights = (noise / temperature).softmax(1)
            mixtures.append(
                [(each, weights[:, place, None, None, None]) for place, each in enumerate(drawn)])
        return mixtures


def train(net, images, indices, settings):
    """Mean loss of each epoch."""
    optimiser = torch.optim.SGD(
        net.parameters(), lr=settings["weights.learning_rate"],
        momentum=settings["weights.momentum"], weight_decay=settings["weights.weight_decay"])
    draws = Draws(net, settings["search.drawn_paths"])
    batch, epochs = settings["search.batch"], settings["search.epochs"]
    losses = []
    net.train()
    for epoch in range(epochs):
        temperature = settings["temperature.start"] * math.exp(
            -settings["temperature.rate"] * epoch)
        parts = [each for each in indices[torch.randperm(len(indices))].split(batch)
                 if len(each) == batch]
        total = 0
        for position, each in enumerate(parts):
            done = (epoch * len(parts) + position) / (epochs * len(parts))
            rate = settings["weights.learning_rate"] * (1 + math.cos(math.pi * done)) / 2
            optimiser.param_groups[0]["lr"] = rate
            x, labels = images.batch(each, settings["data.shift"], settings["data.flip"])
            optimiser.zero_grad(set_to_none=True)
            loss = functional.cross_entropy(net(x, draws(len(each), temperature)), labels)
            loss.backward()
            optimiser.step()
            total += loss.item()
        losses.append(total / len(parts))
    return losses


@torch.inference_mode()
def evaluate(net, architecture, images, recalibration, indices, batch):
    """Accuracy and cross-entropy of a network, after the statistics of batch-norm were made
    again."""
    net.train()
    with Supernet.fresh_statistics(net):
        for each in recalibration.split(batch):
            net.alone(images.batch(each)[0], architecture)
    net.eval()
    correct, loss = 0, 0
    for each in indices.split(batch):
        x, labels = images.batch(each)
        scores = net.alone(x, architecture)
        correct += (scores.argmax(1) == labels).sum().item()
        loss += functional.cross_entropy(scores, labels, reduction="sum").item()
    return correct / len(indices), loss / len(indices)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the file that images.py made")
    parser.add_argument("--settings", type=json.loads, required=True,
                        help="supertop's configuration: an object of keys such as search.epochs")
    parser.add_argument("--networks", type=Path, required=True,
                        help="a JSON list of architectures, a digit for each layer")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()

    start = time.perf_counter()
    settings = options.settings
    torch.set_flush_denormal(True)
    torch.set_num_threads(options.threads)
    torch.manual_seed(settings["seed"])
    arrays = numpy.load(options.data)
    images = Images(arrays, "train")
    theta, validation, weights = split(
        images.labels, (settings["search.theta_share"], settings["search.validation_share"]))
    recalibration = weights[torch.randperm(len(weights))][
        :settings["search.recalibration_images"]]
    net = Layers(len(images.labels.unique())).to(memory_format=torch.channels_last)
    Supernet.initialise(net)
    losses = train(net, images, weights, settings)
    seconds = time.perf_counter() - start
    networks = []
    for name in json.loads(options.networks.read_text()):
        accuracy, loss = evaluate(
            net, [int(digit) for digit in name], images, recalibration,
            torch.cat([theta, validation]), settings["search.batch"])
        networks.append(
            {"architecture": name, "inherited_accuracy": accuracy, "inherited_loss": loss})
    print(json.dumps({
        "engine": "torch " + torch.__version__, "train_loss": losses, "networks": networks,
        "train_s": round(seconds, 1), "seconds": round(time.perf_counter() - start, 1)}))


if __name__ == "__main__":
    main()
