#!/usr/bin/env python3
"""A whole search, as `supertop search` makes it, in PyTorch.

The weights of the supernet and θ are trained in turn, under a budget in multiply–accumulates that a
learned multiplier keeps. Each epoch ends with the batch-norm statistics computed again and the
validation of the mixture and of the most probable network alone; the search ends with the best of
five networks within the budget, on the test images. A step computes the gradients of what it trains
alone. Prints one JSON object an epoch, and a last one with the network that was found.
"""
import argparse
import json
import math
import resource
import time
from pathlib import Path

import numpy
import torch
from torch.nn import functional

from network import NAMES, PRESETS, Supernet, allocator


class Images:
    """Images as bytes in memory; batches of them are normalised, and shifted and mirrored."""

    def __init__(self, arrays, part):
        self.pixels = torch.from_numpy(arrays[part + "_pixels"])
        self.labels = torch.from_numpy(arrays[part + "_labels"])
        self.mean, self.deviation = map(torch.from_numpy, (arrays["mean"], arrays["deviation"]))

    def batch(self, indices, shift=0, flip=False):
        x = (self.pixels[indices] / 255 - self.mean) / self.deviation
        if shift or flip:
            count, side = x.shape[:2]
            x = functional.pad(x, (0, 0, shift, shift, shift, shift))
            places = torch.arange(side)
            columns = places.expand(count, side)
            if flip:
                mirrored = torch.rand(count, 1) < 0.5
                columns = torch.where(mirrored, columns.flip(1), columns)
            down, right = torch.randint(0, 2 * shift + 1, (2, count, 1))
            x = x[torch.arange(count)[:, None, None], (places + down)[:, :, None],
                  (columns + right)[:, None, :]]
        # Channels last in memory already.
        return x.permute(0, 3, 1, 2), self.labels[indices]


def split(labels, shares):
    """Indices of the images in parts of `shares` and a last one of the rest, class by class."""
    parts = [[] for _ in range(len(shares) + 1)]
    for label in labels.unique():
        own = (labels == label).nonzero().flatten()
        own = own[torch.randperm(len(own))]
        sizes = [round(share * len(own)) for share in shares]
        for part, piece in zip(parts, own.split([*sizes, len(own) - sum(sizes)])):
            part.append(piece)
    return [torch.cat(part) for part in parts]


class Budget:
    """The learned weight λ of the cost, and the projection that keeps θ within the band."""

    def __init__(self, net, settings):
        self.limit, self.band = settings["budget.flops"], settings["loss.band"]
        self.costs = torch.stack([layer.costs for layer in net.layers]).double()
        self.fixed = net.fixed
        self.weight, self.steps = settings["loss.alpha"], 0

    def excess(self, rows):
        """Share of the budget by which the expected cost of softmax(θ) is above it."""
        return ((rows.softmax(1) * self.costs).sum() + self.fixed) / self.limit - 1

    @torch.no_grad()
    def step(self, thetas, learning_rate):
        rows = torch.stack(thetas).double()
        excess = self.excess(rows).item()
        self.steps += 1
        rate = max(0.03, min(1, 3 / self.steps)) * (1 + abs(self.weight))
        self.weight += rate * max(-1, min(1, excess / min(0.1, learning_rate)))
        if abs(excess) <= self.band:
            return
        # θ − ν·cost/budget with the least |ν| that brings the expected cost back.
        sign = math.copysign(1, excess)
        slope = sign * self.costs / self.limit

        def beyond(size):
            return sign * self.excess(rows - size * slope).item() <= self.band

        low, high = 0, 1
        while not beyond(high) and high < 1e6:
            high *= 2
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (low, middle) if beyond(middle) else (middle, high)
        for theta, row in zip(thetas, rows - high * slope):
            theta.copy_(row)

    def cost(self, architectures):
        """Multiply–accumulates of networks, [networks, layers]."""
        return self.costs.gather(1, architectures.t()).sum(0) + self.fixed

    def repaired(self, network, scores):
        """The network with cheaper candidates until it fits, at the least loss of probability."""
        network = network.clone()
        layers = torch.arange(len(network))
        while self.cost(network[None]) > self.limit:
            saved = self.costs[layers, network][:, None] - self.costs
            lost = scores[layers, network][:, None] - scores
            price = torch.where(saved > 0, lost / saved, math.inf)
            if not price.isfinite().any():
                raise SystemExit("no network keeps the budget")
            layer, candidate = divmod(price.argmin().item(), price.shape[1])
            network[layer] = candidate
        return network


class Search:
    """A search of this form; others are refused."""

    FORM = {"temperature.form": "exponential", "loss.form": "target", "loss.multiplier": "learned",
            "search.hard": False, "search.cost": "flops", "weights.label_smoothing": 0}

    def __init__(self, preset, data, settings, compiles):
        for key, value in self.FORM.items():
            if settings[key] != value:
                raise SystemExit(f"{key} is {settings[key]}: this search knows {value} alone")
        self.settings = settings
        arrays = numpy.load(data)
        self.train, self.test = Images(arrays, "train"), Images(arrays, "test")
        shares = settings["search.theta_share"], settings["search.validation_share"]
        self.theta_images, self.validation, self.weight_images = split(self.train.labels, shares)
        self.recalibration = self.weight_images[torch.randperm(len(self.weight_images))][
            :settings["search.recalibration_images"]]
        self.batch = settings["search.batch"]
        self.epochs, self.warmup = settings["search.epochs"], settings["search.warmup_epochs"]

        self.net = Supernet(preset).to(memory_format=torch.channels_last)
        self.net.initialise()
        self.sampled = torch.compile(self.net.sampled) if compiles else self.net.sampled
        self.budget = Budget(self.net, settings)
        steps = (self.epochs - self.warmup) * (len(self.theta_images) // self.batch)
        self.theta_rate = settings["theta.learning_rate"]
        if self.theta_rate == "auto":
            self.theta_rate = max(0.01, min(0.3, 24 / max(1, steps)))
        self.optimisers = {
            "weights": torch.optim.SGD(
                self.net.weights, lr=settings["weights.learning_rate"],
                momentum=settings["weights.momentum"],
                weight_decay=settings["weights.weight_decay"]),
            "theta": torch.optim.Adam(
                self.net.thetas, lr=self.theta_rate,
                betas=(settings["theta.beta1"], settings["theta.beta2"]),
                weight_decay=settings["theta.weight_decay"]),
        }

    def run(self):
        for epoch in range(self.epochs):
            start = time.perf_counter()
            temperature = self.settings["temperature.start"] * math.exp(
                -self.settings["temperature.rate"] * epoch)
            loss = self.pass_over("weights", self.weight_images, epoch, temperature)
            if epoch >= self.warmup:
                self.pass_over("theta", self.theta_images, epoch, temperature)
            mixture = self.evaluate(self.mixture(temperature), self.train, self.validation)
            alone = self.evaluate(self.alone(self.argmax()), self.train, self.validation)
            excess = self.budget.excess(torch.stack(self.net.thetas)).item()
            yield {
                "event": "epoch", "epoch": epoch + 1, "train_loss": round(loss, 4),
                "val_accuracy": mixture, "argmax_accuracy": alone,
                "expected_cost": round(self.budget.limit * (1 + excess)),
                "multiplier": round(self.budget.weight, 4),
                "seconds": round(time.perf_counter() - start, 3),
            }
        every = torch.arange(len(self.test.labels))
        supernet = self.evaluate(self.mixture(temperature), self.test, every)
        found = max(self.networks(), key=lambda network: self.evaluate(
            self.alone(network), self.train, self.validation))
        yield {
            "event": "done", "options": [NAMES[index] for index in found],
            "flops": round(self.budget.cost(found[None]).item()),
            "supernet_test_accuracy": supernet,
            "test_accuracy": self.evaluate(self.alone(found), self.test, every),
        }

    def pass_over(self, phase, indices, epoch, temperature):
        """Mean loss of one pass, in full batches."""
        self.net.train()
        self.net.train_only(phase)
        optimiser = self.optimisers[phase]
        samples = self.batch if self.settings["search.sampling"] == "sample" else 1
        temperature = torch.tensor(temperature)
        batches = indices[torch.randperm(len(indices))].split(self.batch)
        batches = [each for each in batches if len(each) == self.batch]
        total = 0
        for position, each in enumerate(batches):
            if phase == "weights":
                done = (epoch * len(batches) + position) / (self.epochs * len(batches))
                optimiser.param_groups[0]["lr"] = (
                    self.settings["weights.learning_rate"] * (1 + math.cos(math.pi * done)) / 2)
            images, labels = self.train.batch(
                each, self.settings["data.shift"], self.settings["data.flip"])
            optimiser.zero_grad(set_to_none=True)
            scores, _ = self.sampled(images, temperature, samples)
            excess = self.budget.excess(torch.stack(self.net.thetas))
            loss = functional.cross_entropy(scores, labels) + self.budget.weight * excess
            loss.backward()
            optimiser.step()
            if phase == "theta":
                self.budget.step(self.net.thetas, self.theta_rate)
            total += loss.item()
            if not math.isfinite(total):
                raise SystemExit("the loss is not a finite number")
        return total / max(1, len(batches))

    def mixture(self, temperature):
        weights = [(theta.detach() / temperature).softmax(0) for theta in self.net.thetas]
        return lambda x: self.net(x, weights)

    def alone(self, network):
        return lambda x: self.net.alone(x, network)

    def argmax(self):
        return torch.stack(self.net.thetas).argmax(1)

    @torch.inference_mode()
    def evaluate(self, scores, images, indices):
        """Share of images classified right, after the statistics of batch-norm were made again."""
        self.net.train()
        with self.net.fresh_statistics():
            for each in self.recalibration.split(self.batch):
                scores(self.train.batch(each)[0])
        self.net.eval()
        correct = 0
        for each in indices.split(self.batch):
            x, labels = images.batch(each)
            correct += (scores(x).argmax(1) == labels).sum().item()
        return correct / len(indices)

    def networks(self, draws=10_000, least=0.95):
        """The most probable network found that makes use of the budget, and four sampled ones."""
        rows = torch.stack(self.net.thetas).detach().double().log_softmax(1)
        drawn = rows.exp().multinomial(draws, replacement=True).t()
        drawn = torch.cat([self.argmax()[None], drawn])
        costs = self.budget.cost(drawn)
        limit = self.budget.limit
        fitting = drawn[(costs <= limit) & (costs >= least * limit)]
        if len(fitting) == 0:
            return [self.budget.repaired(self.argmax(), rows)]
        scores = rows.gather(1, fitting.t()).sum(0)
        chosen = [fitting[scores.argmax()], *fitting]
        distinct = {tuple(network.tolist()): network for network in chosen[:1000]}
        return list(distinct.values())[:5]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", default="cifar-small", choices=PRESETS)
    parser.add_argument("--data", type=Path, required=True, help="the file that images.py made")
    parser.add_argument("--settings", type=json.loads, required=True,
                        help="supertop's configuration: an object of keys such as search.epochs")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--compile", action="store_true", help="torch.compile the training step")
    options = parser.parse_args()

    start = time.perf_counter()
    torch.set_flush_denormal(True)
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.settings["seed"])
    engine = f"torch {torch.__version__} " + ("compile" if options.compile else "eager")
    search = Search(options.preset, options.data, options.settings, options.compile)
    for record in search.run():
        if record["event"] == "done":
            record |= {
                "engine": engine, "allocator": allocator(),
                "seconds": round(time.perf_counter() - start, 3),
                "peak_rss_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
            }
        print(json.dumps(record), flush=True)


if __name__ == "__main__":
    main()
