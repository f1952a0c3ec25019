#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a file's bytes as the initialiser of a C array. Usage: embed.py FILE HEADER"""
import sys

with open(sys.argv[1], "rb") as source, open(sys.argv[2], "w") as header:
    data = source.read()
    for start in range(0, len(data), 24):
        header.write(" ".join(f"{byte}," for byte in data[start:start + 24]) + "\n")
