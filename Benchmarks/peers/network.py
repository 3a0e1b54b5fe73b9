"""The supernet of `supertop search` in PyTorch: the same blocks, mixed with given weights."""
import contextlib
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
NAMES = [f"k{k}_e{e}" + (f"_g{g}" if g > 1 else "") for k, e, g in CANDIDATES] + ["skip"]


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
    """All candidates, weighted by one row for the batch or by a row for each image.

    Costs are in multiply–accumulates.
    """

    def __init__(self, inputs, outputs, side, stride):
        super().__init__()
        keeps = stride == 1 and inputs == outputs
        blocks = [InvertedResidual(inputs, outputs, stride, *c) for c in CANDIDATES]
        blocks.append(nn.Identity() if keeps else convolution_norm(inputs, outputs, 1, stride))
        self.blocks = nn.ModuleList(blocks)
        costs = [macs(inputs, outputs, side, stride, *c) for c in CANDIDATES]
        costs.append(0 if keeps else inputs * outputs * ((side - 1) // stride + 1) ** 2)
        self.register_buffer("costs", torch.tensor(costs, dtype=torch.float32))
        self.theta = nn.Parameter(torch.full((len(blocks),), 1 / len(blocks)))

    def forward(self, x, weights):
        if weights.dim() == 2:
            weights = weights.t()[..., None, None, None]
        return sum(w * block(x) for w, block in zip(weights, self.blocks))


class Supernet(nn.Module):
    """Stem, mixed layers, head; `fixed` is what the parts cost that are not searched."""

    def __init__(self, preset):
        super().__init__()
        side, colours, classes, stride, stages, head = PRESETS[preset]
        width = 16
        self.stem = convolution_norm(colours, width, 3, stride)
        side = (side - 1) // stride + 1
        self.fixed = 9 * colours * width * side * side
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
        self.fixed += width * head * side * side + head * classes
        self.thetas = [layer.theta for layer in layers]
        known = {id(theta) for theta in self.thetas}
        self.weights = [p for p in self.parameters() if id(p) not in known]

    def initialise(self):
        """First values as supertop's: the spread by the fan-out of the whole layer."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")
            elif isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=0.01)
                nn.init.zeros_(module.bias)

    @contextlib.contextmanager
    def fresh_statistics(self):
        """Batch-norm takes the means over all batches of a `with`, and forgets what was before."""
        norms = [module for module in self.modules() if isinstance(module, nn.BatchNorm2d)]
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None
        yield
        for norm in norms:
            norm.momentum = 0.1

    def train_only(self, phase):
        """Lets a step compute the gradients of "weights" or of "theta", or of "all"."""
        for parameter in self.weights:
            parameter.requires_grad_(phase != "theta")
        for theta in self.thetas:
            theta.requires_grad_(phase != "weights")

    def forward(self, x, mixtures):
        x = self.stem(x)
        for layer, weights in zip(self.layers, mixtures):
            x = layer(x, weights)
        return self.head(x)

    def sampled(self, x, temperature, samples=1):
        """Scores of a Gumbel-softmax mixture for the batch or for each image, and the mixtures."""
        mixtures = [
            functional.gumbel_softmax(
                theta if samples == 1 else theta.expand(samples, -1), temperature)
            for theta in self.thetas]
        return self(x, mixtures), mixtures

    def alone(self, x, architecture):
        """Scores of one network, a candidate for each layer."""
        x = self.stem(x)
        for layer, index in zip(self.layers, architecture):
            x = layer.blocks[index](x)
        return self.head(x)

    def cost(self, mixtures):
        """Multiply–accumulates of the searched layers, each mixed by one row."""
        return sum((weights * layer.costs).sum()
                   for layer, weights in zip(self.layers, mixtures))


def allocator():
    """The allocator that was preloaded, or the C library's."""
    try:
        maps = Path("/proc/self/maps").read_text()
    except OSError:
        return "unknown"
    return "tcmalloc" if "libtcmalloc" in maps else "malloc"
