"""The addresses and draws frozen in tests/golden.rs, from an implementation of their own.

Philox4x32-10 after Salmon et al. (SC '11), FNV-1a, and quantiles with mpmath at 50 digits. Run: python golden.py (needs mpmath).
"""

import mpmath as mp

mp.mp.dps = 50
MASK = 0xFFFFFFFF


def philox(counter: list[int], key: list[int]) -> list[int]:
    """Ten rounds, as the paper's figure draws them: the key grows between rounds."""
    c, k = list(counter), list(key)
    for step in range(10):
        if step:
            k = [(k[0] + 0x9E3779B9) & MASK, (k[1] + 0xBB67AE85) & MASK]
        hi0, lo0 = divmod(0xD2511F53 * c[0], 1 << 32)
        hi1, lo1 = divmod(0xCD9E8D57 * c[2], 1 << 32)
        c = [hi1 ^ c[1] ^ k[0], lo1, hi0 ^ c[3] ^ k[1], lo0]
    return c


def child(key: list[int], name: str) -> list[int]:
    """The key of a name under another key."""
    h = 0xCBF29CE484222325
    for byte in name.encode():
        h = ((h ^ byte) * 0x100000001B3) % (1 << 64)
    return philox([h & MASK, h >> 32, 0, MASK], key)[:2]


def uniform(key: list[int], event: int, step: int) -> mp.mpf:
    """The first uniform number of a draw."""
    low, high = philox([event & MASK, event >> 32, step, 0], key)[:2]
    k = ((high << 32) | low) >> 11
    return mp.mpf(k) / 2**53 if k else mp.mpf(2) ** -54


def main() -> None:
    """Prints what the test asserts."""
    seed, event = 20260101, 123456789012
    key = child([seed & MASK, seed >> 32], "golden")
    muon = child(key, "muon")
    print(key, muon)
    for k, step in [(key, 0), (key, 1), (muon, 0)]:
        print(mp.nstr(uniform(k, event, step), 17))
    u = uniform(key, event, 7)
    m, w = mp.mpf(91.188), mp.mpf(2.4955)
    lo, hi = (mp.atan((x * x - m * m) / (m * w)) for x in (50, 150))
    draws = {
        "uniform": -1 + 4 * u,
        "normal": 3 + 2 * mp.sqrt(2) * mp.erfinv(2 * u - 1),
        "exponential": -mp.log(1 - u) / 4,
        "cauchy": 1 + mp.tan(mp.pi * (u - 0.5)) / 2,
        "breit-wigner": mp.sqrt(m * m + m * w * mp.tan(lo + (hi - lo) * u)),
    }
    for name, x in draws.items():
        print(name, mp.nstr(x, 17))


if __name__ == "__main__":
    main()
