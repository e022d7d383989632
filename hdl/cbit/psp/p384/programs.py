"""The microprograms of the unit for P-384. No program branches on a number, nor does a number choose a register.

A point in these programs is projective, (X : Y : Z) with x = X/Z and y = Y/Z, and its coordinates are those of
Montgomery, multiplied by R. Infinity is (0 : Y : 0).
"""

from cbit.psp.p384.assembler import assemble

__all__ = ["ENTRIES", "MICROCODE", "SCRATCH"]

ENTRIES = ("add", "sub", "mul", "invert", "point_multiply", "point_add", "on_curve", "less", "copy", "reduce", "wipe")
"""Where the operations begin, in order of their numbers."""

SCRATCH = ("zero", "k",
           "x", "y", "z",
           "u", "v", "w",
           "t0", "t1", "t2", "t3", "t4", "xs", "ys", "zs",
           "x1", "y1", "z1", "x2", "y2", "z2", "x3", "y3", "z3", "x4", "y4", "z4")
"""Registers from 32 on: the point that is added up, the point that is added to it, and a point's first multiples."""

_NUMBERS = """
add:
    D = A + B ;flag = zero
    end
sub:
    D = A - B ;flag = zero
    end
mul:
    t0 = A * R2
    D = t0 * B ;flag = zero
    t0 = t0 - t0
    end
less:
    t0 = A + ZERO ;flag |= reduced
    t0 = t0 - t0
    end
copy:
    D = A ;flag = zero
    end
reduce:
    D = A + ZERO ;flag = zero
    end
wipe:
    wipe from 0
    jump flush
clean:
    wipe from 32
flush:              # zeros through all that lies between registers
    t0 = t0 * t0
    end
"""

_POWERS = """
invert:
    t0 = A * R2
    call power
    D = t2 * ONE ;flag = zero
    jump clean

power:              # t2 = t0^(m-2), which is 1/t0 or 0: Fermat
    zero = zero - zero
    t1 = zero + EXPONENT
    t2 = zero + R
    repeat 384
power_bit:
    t2 = t2 * t2
    shift t1
    t3 = t0 if bit else R
    t2 = t2 * t3
    next power_bit
    return
"""

_FORMULAS = """
double:             # (x, y, z) = 2 (x, y, z): Renes, Costello, Batina 2015, algorithm 6
    t0 = x * x
    t1 = y * y
    t2 = z * z
    t3 = x * y
    t3 = t3 + t3
    zs = x * z
    zs = zs + zs
    ys = t2 * CURVE_B
    ys = ys - zs
    xs = ys + ys
    ys = xs + ys
    xs = t1 - ys
    ys = t1 + ys
    ys = xs * ys
    xs = xs * t3
    t3 = t2 + t2
    t2 = t2 + t3
    zs = zs * CURVE_B
    zs = zs - t2
    zs = zs - t0
    t3 = zs + zs
    zs = zs + t3
    t3 = t0 + t0
    t0 = t3 + t0
    t0 = t0 - t2
    t0 = t0 * zs
    t4 = y * z
    y = ys + t0
    t4 = t4 + t4
    zs = t4 * zs
    x = xs - zs
    z = t4 * t1
    z = z + z
    z = z + z
    return

plus:               # (x, y, z) += (u, v, w): Renes, Costello, Batina 2015, algorithm 4
    t0 = x * u
    t1 = y * v
    t2 = z * w
    t3 = x + y
    t4 = u + v
    t3 = t3 * t4
    t4 = t0 + t1
    t3 = t3 - t4
    t4 = y + z
    xs = v + w
    t4 = t4 * xs
    xs = t1 + t2
    t4 = t4 - xs
    xs = x + z
    ys = u + w
    xs = xs * ys
    ys = t0 + t2
    ys = xs - ys
    zs = t2 * CURVE_B
    xs = ys - zs
    zs = xs + xs
    xs = xs + zs
    zs = t1 - xs
    xs = t1 + xs
    ys = ys * CURVE_B
    t1 = t2 + t2
    t2 = t1 + t2
    ys = ys - t2
    ys = ys - t0
    t1 = ys + ys
    ys = t1 + ys
    t1 = t0 + t0
    t0 = t1 + t0
    t0 = t0 - t2
    t1 = t4 * ys
    t2 = t0 * ys
    ys = xs * zs
    y = ys + t2
    xs = t3 * xs
    x = xs - t1
    zs = t4 * zs
    t1 = t3 * t0
    z = zs + t1
    return
"""

_POINTS = """
point_add:
    zero = zero - zero
    x = A * R2 ;flag = zero
    y = A1 * R2 ;flag &= zero
    z = zero if flag else R
    y = y if not_flag else R
    u = B * R2 ;flag = zero
    v = B1 * R2 ;flag &= zero
    w = zero if flag else R
    v = v if not_flag else R
    call plus
    jump affine

affine:             # (D, D1) = (x/z, y/z)
    t0 = z ;flag = zero
    call power
    t0 = x * t2
    t1 = y * t2
    D = t0 * ONE
    D1 = t1 * ONE
    jump clean

on_curve:           # the flag begins as 0
    t0 = A + ZERO ;flag |= reduced
    t0 = A1 + ZERO ;flag |= reduced
    x = A * R2
    y = A1 * R2
    t0 = y * y
    t1 = x * x
    t1 = t1 * x
    t2 = x + x
    t2 = t2 + x
    t1 = t1 - t2
    t1 = t1 + CURVE_B
    t1 = t0 - t1 ;flag |= nonzero
    jump clean
"""

_MULTIPLES = """
point_multiply:
    k = A
    zero = zero - zero
    x1 = B * R2 ;flag = zero
    y1 = B1 * R2 ;flag &= zero
    z1 = zero if flag else R
    y1 = y1 if not_flag else R
    x = x1
    y = y1
    z = z1
    call double
    x2 = x
    y2 = y
    z2 = z
    u = x1
    v = y1
    w = z1
    call plus
    x3 = x
    y3 = y
    z3 = z
    call plus
    x4 = x
    y4 = y
    z4 = z
    x = zero
    y = zero + R
    z = zero
    shift k         # the topmost digit is bit 383 alone, as what the next one carries
    call digit
    repeat 128
point_digit:
    call double
    call double
    call double
    shift k
    shift k
    shift k
    call digit
    next point_digit
    jump affine

digit:              # (x, y, z) += digit * (x1, y1, z1): each multiple is read, whatever the digit
    u = x1 if digit_1 else zero
    u = x2 if digit_2 else u
    u = x3 if digit_3 else u
    u = x4 if digit_4 else u
    v = y1 if digit_1 else R
    v = y2 if digit_2 else v
    v = y3 if digit_3 else v
    v = y4 if digit_4 else v
    w = z1 if digit_1 else zero
    w = z2 if digit_2 else w
    w = z3 if digit_3 else w
    w = z4 if digit_4 else w
    t0 = zero - v
    v = t0 if negative else v
    jump plus
"""

MICROCODE = assemble(_NUMBERS + _POWERS + _FORMULAS + _POINTS + _MULTIPLES, entries=ENTRIES, scratch=SCRATCH)
"""The words of the programs' memory."""
