"""A shared library written in Spasm, used from Python:

    $ spasm build examples/c/spelling.spasm -o spelling.o
    $ cc -shared spelling.o -o libspelling.so
    $ python3 examples/c/spelling.py ./libspelling.so shard
    distance from kitten to sitting: 3
    nearest to shard: hard, 1 away
    as near: hard
    as near: share
    as near: shared
"""

import ctypes
import sys
from ctypes import c_bool, c_char_p, c_int64

WORDS = [b"library", b"hard", b"object", b"share", b"python", b"shared", b"linker"]


class Nearest(ctypes.Structure):
    """Several results of a Spasm function are a struct to C."""

    _fields_ = [("which", c_int64), ("distance", c_int64)]


# A Python function that Spasm calls: ctypes makes a C function of it.
Found = ctypes.CFUNCTYPE(c_bool, c_int64, c_int64)

library = ctypes.CDLL(sys.argv[1])
library.distance.argtypes = [c_char_p, c_char_p]
library.distance.restype = c_int64
library.nearest.argtypes = [ctypes.POINTER(c_char_p), c_int64, c_char_p]
library.nearest.restype = Nearest
library.within.argtypes = [ctypes.POINTER(c_char_p), c_int64, c_char_p, c_int64, Found]
library.within.restype = c_int64

print("distance from kitten to sitting:", library.distance(b"kitten", b"sitting"))

word = sys.argv[2].encode()
words = (c_char_p * len(WORDS))(*WORDS)
best = library.nearest(words, len(WORDS), word)
print(f"nearest to {word.decode()}: {WORDS[best.which].decode()}, {best.distance} away")


def found(which, distance):
    print("as near:", WORDS[which].decode())
    return True


library.within(words, len(WORDS), word, best.distance, Found(found))
