"""The names of torch that `trackside.exact` uses: one generator of random numbers, and its state."""

import random
import struct

import numpy

__version__ = "0.0.stand-in"
uint8 = numpy.uint8
_chance = random.Random(0)


class Tensor:
    def __init__(self, data):
        self.data = data

    def numpy(self):
        return self.data


class cuda:
    @staticmethod
    def is_available():
        return False


def manual_seed(seed):
    _chance.seed(seed)


def rand():
    return _chance.random()


def draw_seed():
    return _chance.getrandbits(62)


def get_rng_state():
    return Tensor(numpy.frombuffer(struct.pack("625I", *_chance.getstate()[1]), dtype=uint8))


def set_rng_state(state):
    _chance.setstate((3, struct.unpack("625I", state.data.tobytes()), None))


def frombuffer(data, dtype):
    return Tensor(numpy.frombuffer(data, dtype=dtype))
