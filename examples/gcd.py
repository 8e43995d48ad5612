"""Spasm as a shared library in Python:

    spasm build examples/gcd.spasm -o gcd.o
    cc -shared gcd.o -o libgcd.so
    python3 examples/gcd.py ./libgcd.so 1071 462
"""

import ctypes
import sys

library = ctypes.CDLL(sys.argv[1])
library.gcd.argtypes = [ctypes.c_int64, ctypes.c_int64]
library.gcd.restype = ctypes.c_int64
print(library.gcd(int(sys.argv[2]), int(sys.argv[3])))
