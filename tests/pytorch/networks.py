"""Small PyTorch networks with random weights."""

# mypy: allow-subclassing-any, no-warn-return-any

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


class Residual(nn.Module):
    """Two convolutions with a skip connection."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.second(torch.relu(self.norm(self.first(x)))))


class Network(nn.Module):
    """A small residual network: convolutions, batch norm, ReLU, pooling, dropout, classifier."""

    def __init__(self, channels: int = 3) -> None:
        super().__init__()
        self.stem = nn.Conv2d(channels, 16, 3, stride=2, padding=1)
        self.blocks = nn.Sequential(Residual(16), Residual(16))
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(0.5)
        self.classes = nn.Linear(16, 5)

    def forward(self, x: Tensor) -> Tensor:
        features = self.pool(self.blocks(self.stem(x))).flatten(1)
        return self.classes(self.dropout(features))


class Text(nn.Module):
    """A network with two inputs: word ids and their mask."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(50, 8)
        self.classes = nn.Linear(8, 4)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        embedded = self.words(ids) * mask[..., None]
        mean = embedded.sum(1) / mask.sum(1, keepdim=True).clamp(min=1)
        return self.classes(torch.tanh(mean))


class Numbers(nn.Module):
    """A network for vectors with a function of its hidden units."""

    def __init__(self, change: Callable[[Tensor], Tensor] = torch.tanh) -> None:
        super().__init__()
        self.hidden = nn.Linear(12, 8)
        self.change = change
        self.classes = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.classes(self.change(self.hidden(x)))


def with_statistics(module: Any, *inputs: Tensor) -> Any:
    """Return the module in evaluation mode, with statistics as after training."""
    module.train()
    with torch.no_grad():
        for _ in range(5):
            module(*inputs)
    return module.eval()


def features(module: nn.Module, *inputs: Tensor) -> Tensor:
    """Return the input of the last linear layer, computed by PyTorch."""
    last = [part for part in module.modules() if isinstance(part, nn.Linear)][-1]
    inputs_of_last: list[Tensor] = []
    hook = last.register_forward_pre_hook(lambda _, arguments: inputs_of_last.append(arguments[0]))
    with torch.no_grad():
        module(*inputs)
    hook.remove()
    return inputs_of_last[-1]
