"""Writes weights.json, what networks of timm and mobile-vision answer, for ImportedNetworkTests.

Usage: python3 make_weights.py [--all FILE] (PyTorch 2, numpy and timm 1.0; needs no network).

timm's networks are timm's own. mobile-vision is no package of PyPI, so its networks are built here
by the zoo's definitions, with modules that are called as its own are (`FBNet`, `ConvBNRelu`,
`IRFBlock`, `IRPoolBlock`, `SEModule`, `Identity`): the names are checked against a re-creation, not
against the original. Every convolution that may have a bias there has one in the networks of
FBNetV1. All numbers that go in come from a hash of the array's name and the element's index, so
that the file holds names, shapes and class scores only. `--all` writes every network to another
file.

It also writes formats.pt, a checkpoint of small arrays with all that a file of torch.save may hold.
"""

import json
import pathlib
import sys

import torch
import torch.nn as nn

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "NetworksTests" / "Fixtures"))
from make_networks import ZOO, expand_repeats, pseudorandom  # noqa: E402

CLASSES, IMAGES, SIDE = 10, 2, 64
TIMM = [("fbnetc_100", "fbnet_c", {"bn_eps": 1e-3}), ("fbnetv3_b", "FBNetV3_B", {}),
        ("fbnetv3_d", "FBNetV3_D", {}), ("fbnetv3_g", "FBNetV3_G", {}),
        ("mobilenetv3_large_100", "mobilenet_v3_large", {})]
# Each has something that the others have not: groups, skips with and without a convolution,
# squeezes of both activations, borders of their own, dense blocks with and without a projection.
MOBILE_VISION = ["fbnet_a", "fbnet_96", "fbnet_cse", "FBNetV2_F1", "dmasking_f4", "FBNetV3_A",
                 "FBNetV3_F_GPU", "mobilenet_v2", "mobilenet_v3_large"]


class ConvBNRelu(nn.Module):
    def __init__(self, inputs, outputs, kernel=1, stride=1, padding=None, groups=1, bias=False,
                 norm=True, activation=None):
        super().__init__()
        padding = kernel // 2 if padding is None else padding
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=bias)
        self.bn = nn.BatchNorm2d(outputs) if norm else None
        self.relu = {"relu": nn.ReLU, "hswish": nn.Hardswish, None: nn.Identity}[activation]()

    def forward(self, x):
        x = self.conv(x)
        return self.relu(x if self.bn is None else self.bn(x))


class Identity(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv = None
        if inputs != outputs or stride != 1:
            self.conv = ConvBNRelu(inputs, outputs, 1, stride, activation="relu")

    def forward(self, x):
        return x if self.conv is None else self.conv(x)


class SEModule(nn.Module):
    def __init__(self, channels, middle, activation):
        super().__init__()
        first = ConvBNRelu(channels, middle, bias=True, norm=False, activation=activation)
        self.se = nn.Sequential(first, nn.Conv2d(middle, channels, 1), nn.Hardsigmoid())

    def forward(self, x):
        return x * self.se(x.mean((2, 3), keepdim=True))


class IRFBlock(nn.Module):
    def __init__(self, inputs, layer, bias):
        super().__init__()
        outputs, stride = layer["width"], layer.get("stride", 1)
        middle, activation = layer.get("middle", inputs), layer.get("activation", "relu")
        groups, fused = layer.get("groups", 1), layer.get("fused")
        kernel, padding = layer["kernel"], layer.get("padding")
        self.groups, self.pw, self.dw = groups, None, None
        self.se, self.pwl = None, None
        if fused:
            self.pw = ConvBNRelu(inputs, middle, kernel, stride, padding, bias=bias,
                                 activation=activation)
        elif "middle" in layer:
            self.pw = ConvBNRelu(inputs, middle, groups=groups, bias=bias, activation=activation)
        if not fused:
            self.dw = ConvBNRelu(middle, middle, kernel, stride, padding,
                                 layer.get("depthwise_groups", middle), bias, True, activation)
        if "squeeze" in layer:
            self.se = SEModule(middle, layer["squeeze"], layer.get("squeeze_activation", "relu"))
        if layer.get("project", True):
            self.pwl = ConvBNRelu(middle, outputs, groups=groups, bias=bias)
        self.residual = inputs == outputs and stride == 1

    def forward(self, x):
        y = x if self.pw is None else self.pw(x)
        if self.groups > 1:
            y = nn.functional.channel_shuffle(y, self.groups)
        for part in (self.dw, self.se, self.pwl):
            y = y if part is None else part(y)
        return x + y if self.residual else y


class IRPoolBlock(nn.Module):
    def __init__(self, inputs, layer):
        super().__init__()
        activation = layer.get("activation", "relu")
        self.pw = ConvBNRelu(inputs, layer["middle"], activation=activation)
        self.pwl = ConvBNRelu(layer["middle"], layer["width"], bias=layer.get("bias", False),
                              norm=False, activation=activation)

    def forward(self, x):
        return self.pwl(self.pw(x).mean((2, 3), keepdim=True))


class FBNet(nn.Module):
    def __init__(self, network):
        super().__init__()
        bias = network["family"] == "FBNetV1"
        stages, channels, stage, index = nn.Sequential(), 3, 0, 0
        for layer in expand_repeats(network):
            width, stride = layer["width"], layer.get("stride", 1)
            last = layer.get("pool") or layer.get("kernel") == 1
            if len(stages) and (stride > 1 or stage == 0 or last):
                stage, index = stage + 1, 0
            if layer.get("skip"):
                block = Identity(channels, width, stride)
            elif layer.get("convolution"):
                block = ConvBNRelu(channels, width, layer["kernel"], stride, layer.get("padding"),
                                   bias=True, activation=layer.get("activation", "relu"))
            elif layer.get("pool"):
                block = IRPoolBlock(channels, layer)
            else:
                block = IRFBlock(channels, layer, bias)
            stages.add_module(f"xif{stage}_{index}", block)
            channels, index = width, index + 1
        self.backbone, self.head = nn.Module(), nn.Module()
        self.backbone.stages = stages
        self.head.conv = nn.Conv2d(channels, CLASSES, 1)

    def forward(self, x):
        return self.head.conv(self.backbone.stages(x).mean((2, 3), keepdim=True)).flatten(1)


def fill(model, variance):
    """Gives every array its values, in single precision; `variance` is a batch-norm's least."""
    for name, array in model.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        u = pseudorandom(name, array.numel()).reshape(array.shape)
        if array.dim() > 1:
            value = (2 * u - 1) * (6 / array[0].numel()) ** 0.5
        elif name.endswith("running_var"):
            value = variance * (1 + 2 * u)
        elif name.endswith("weight"):
            value = 0.5 + u
        else:
            value = (u - 0.5) / 2
        array.copy_(value.float())


def modules(model):
    """`path sizes`, with a + where there is a bias; batch-norms have one size."""
    parts = []
    for path, module in model.named_modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            sizes = ",".join(str(n) for n in module.weight.shape)
            parts.append(f"{path} {sizes}{'' if module.bias is None else '+'}")
        elif isinstance(module, nn.BatchNorm2d):
            parts.append(f"{path} {module.num_features}")
    return ";".join(parts)


def case(naming, name, model):
    """A network's answers in double precision.

    Values that grow from block to block make the errors of single precision grow too, and those
    that vanish leave nothing of the first blocks. So the batch-norms' variances are the least for
    which PyTorch's own single precision is right.
    """
    with torch.no_grad():
        x = (2 * pseudorandom("images", IMAGES * SIDE * SIDE * 3) - 1).float()
        x = x.reshape(IMAGES, SIDE, SIDE, 3).permute(0, 3, 1, 2)
        for variance in (0.7, 0.75, 0.8, 0.9, 1.0, 1.1, 1.2):
            model = model.float().eval()
            fill(model, variance)
            single = model(x).double()
            scores = model.double()(x.double())
            peak = scores.abs().max()
            if (error := float((single - scores).abs().max() / peak)) < 5e-6:
                break
    print(naming, name, variance, float(peak), error, flush=True)
    scores = scores.reshape(-1)
    return {"naming": naming, "name": name, "side": SIDE, "variance": variance,
            "modules": modules(model),
            "scores": [float(f"{v:.8g}") for v in scores.tolist()]}


def formats():
    """Arrays of every type and layout, nested as a training's checkpoint."""
    torch.manual_seed(1)
    base = torch.arange(24, dtype=torch.float32).reshape(4, 6) / 8 - 1
    whole = {torch.int64: "i64", torch.int32: "i32", torch.int16: "i16", torch.int8: "i8",
             torch.uint8: "u8", torch.bool: "bool"}
    arrays = nn.Module().state_dict()
    for kind, name in whole.items():
        arrays["module." + name] = (torch.arange(6) % 3).to(kind).reshape(2, 3)
    for kind, name in {torch.float64: "f64", torch.float32: "f32", torch.float16: "f16",
                       torch.bfloat16: "bf16"}.items():
        arrays["module." + name] = base.to(kind)
    arrays["module.transposed"] = base.t()
    arrays["module.part"] = base[1:3, 2:5]
    arrays["module.every"] = base[::2, ::3]
    arrays["module.scalar"] = torch.tensor(2.5)
    arrays["module.empty"] = torch.zeros(0, 3)
    arrays["module.parameter"] = nn.Parameter(base[0])
    arrays["module.half_range"] = torch.tensor(
        [0.0, -0.0, 6e-8, 6.1e-5, 1.0, -65504.0, float("inf"), float("nan")]).half()
    older = {name: array * 0 for name, array in arrays.items()}
    torch.save({"epoch": 3, "lr": 0.5, "wide": 1 << 40, "done": True, "none": None,
                "size": base.shape, "betas": (0.9, 0.999), "names": ["a", "b"],
                "state_dict": older, "state_dict_ema": arrays}, HERE / "formats.pt")


def main():
    import timm

    zoo = {network["name"]: network for network in json.loads(ZOO.read_text())}
    everything = len(sys.argv) > 2 and sys.argv[1] == "--all"
    names = ([n for n, network in zoo.items() if network.get("rule") != "madds"]
             if everything else MOBILE_VISION)
    results = [case("timm", name, timm.create_model(model, num_classes=CLASSES, **options))
               for model, name, options in TIMM]
    results += [case("mobile-vision", name, FBNet(zoo[name])) for name in names]
    file = pathlib.Path(sys.argv[2]) if everything else HERE / "weights.json"
    lines = ",\n".join(json.dumps(result, separators=(",", ":")) for result in results)
    file.write_text("[\n" + lines + "\n]\n")
    formats()


if __name__ == "__main__":
    main()
