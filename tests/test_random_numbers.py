"""The random numbers follow their specification, and are the same in every language."""

from __future__ import annotations

import numpy as np
import pytest

from sartor._random_numbers import RandomNumbers

INCREMENT = 0x9E3779B9


@pytest.mark.parametrize(("seed", "number"), [(0, 0), (1, 0x514E28B7), (0xFFFFFFFF, 0x81F16F39)])
def test_numbers_follow_the_published_finalizer(seed: int, number: int) -> None:
    # MurmurHash3_x86_32 of no bytes is the finalizer of its seed
    assert RandomNumbers(seed - INCREMENT).draw(1).tolist() == [number]


def test_numbers_follow_the_specification() -> None:
    assert RandomNumbers(1).draw(4).tolist() == [_mix(1 + k * INCREMENT) for k in range(1, 5)]
    assert (RandomNumbers(1).draw(4) >> 16).tolist() == [38560, 4796, 38686, 31149]


def test_only_the_lowest_bits_of_a_seed_are_used() -> None:
    for seed, same in ((1 + (1 << 32), 1), (-1, 0xFFFFFFFF)):
        np.testing.assert_array_equal(RandomNumbers(seed).draw(3), RandomNumbers(same).draw(3))


def test_a_sequence_continues() -> None:
    numbers = RandomNumbers(3)
    parts = [numbers.draw(count) for count in (0, 5, 1, 10)]
    np.testing.assert_array_equal(np.concatenate(parts), RandomNumbers(3).draw(16))


def test_numbers_are_uniform() -> None:
    values = RandomNumbers(5).draw(4000) / 2**32
    assert abs(values.mean() - 0.5) < 0.02
    assert (np.histogram(values, 10, (0, 1))[0] > 330).all()
    starts = [int(RandomNumbers(seed).draw(1)[0]) for seed in range(200)]
    assert len(set(starts)) == 200


def test_a_permutation_is_the_order_of_the_next_numbers() -> None:
    numbers = RandomNumbers(2)
    orders = [numbers.permutation(6).tolist() for _ in range(2)]
    keys = RandomNumbers(2).draw(12).tolist()
    assert orders[0] == sorted(range(6), key=keys[:6].__getitem__)
    assert orders[1] == sorted(range(6), key=keys[6:].__getitem__)
    assert numbers.permutation(0).tolist() == []


def test_permutations_are_uniform() -> None:
    numbers = RandomNumbers(0)
    orders = [tuple(numbers.permutation(4).tolist()) for _ in range(4800)]
    counts = np.array([orders.count(order) for order in set(orders)])
    assert len(counts) == 24
    assert ((counts - 200) ** 2 / 200).sum() < 50  # chi-squared with 23 degrees of freedom


def _mix(z: int) -> int:
    z &= 0xFFFFFFFF
    z = (z ^ z >> 16) * 0x85EBCA6B & 0xFFFFFFFF
    z = (z ^ z >> 13) * 0xC2B2AE35 & 0xFFFFFFFF
    return z ^ z >> 16
