"""Small networks of PyTorch, weights at random."""

# mypy: allow-subclassing-any, no-warn-return-any

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


class Residual(nn.Module):
    """Two convolutions beside a short cut."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.second(torch.relu(self.norm(self.first(x)))))


class Network(nn.Module):
    """A small residual network: convolutions, batch norm, relu, average, dropout, classes."""

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
    """Two inputs: word numbers, and which of them count."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(50, 8)
        self.classes = nn.Linear(8, 4)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        seen = self.words(ids) * mask[..., None]
        mean = seen.sum(1) / mask.sum(1, keepdim=True).clamp(min=1)
        return self.classes(torch.tanh(mean))


class Numbers(nn.Module):
    """One row of numbers, and what is done to its hidden units."""

    def __init__(self, change: Callable[[Tensor], Tensor] = torch.tanh) -> None:
        super().__init__()
        self.hidden = nn.Linear(12, 8)
        self.change = change
        self.classes = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.classes(self.change(self.hidden(x)))


def settled(module: Any, *inputs: Tensor) -> Any:
    """The module with statistics that a training would have left, in evaluation mode."""
    module.train()
    with torch.no_grad():
        for _ in range(5):
            module(*inputs)
    return module.eval()


def features(module: nn.Module, *inputs: Tensor) -> Tensor:
    """What goes into the last linear layer, by PyTorch itself."""
    last = [part for part in module.modules() if isinstance(part, nn.Linear)][-1]
    seen: list[Tensor] = []
    hook = last.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    with torch.no_grad():
        module(*inputs)
    hook.remove()
    return seen[-1]
