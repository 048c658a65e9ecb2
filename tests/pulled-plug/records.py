"""What writer.cpp writes, and what of it must be on a disk: the other half of record.h."""

import struct

BLOCK = 4096
FIRST_BLOCK = 256
BLOCKS = 8192
PARTITION = 40 << 20
PARTITION_SIZE = 48 << 20
DISK_SIZE = 96 << 20
ZERO = bytes(BLOCK)
MASK = (1 << 64) - 1


def mix(seed, number):
    value = (seed + number * 0x9e3779b97f4a7c15) & MASK
    value = ((value ^ (value >> 30)) * 0xbf58476d1ce4e5b9) & MASK
    value = ((value ^ (value >> 27)) * 0x94d049bb133111eb) & MASK
    return value ^ (value >> 31)


def record(seed, number):
    """Its first block, how many it has, and whether they are zeroes."""
    random = mix(seed, number)
    block = random % BLOCKS
    most = 64 if (random >> 40) % 8 == 0 else 8
    return block, min(1 + (random >> 20) % most, BLOCKS - block), (random >> 50) % 16 == 0


def file_content(seed, number):
    return struct.pack("<Q", number) * (1 + mix(~seed & MASK, number) % 16384)


def boot_sector(name, seed):
    label = struct.pack("<16s32sQ", b"backplane plug", name.encode(), seed)
    partition = struct.pack("<B3sB3sII", 0, b"\0\2\0", 0x83, b"\xff" * 3, PARTITION // 512, PARTITION_SIZE // 512)
    return (bytes(256) + label).ljust(446, b"\0") + partition + bytes(48) + b"\x55\xaa"


class Records:
    """What is known of the blocks of one disk: the number of the record each has, or zero."""

    def __init__(self, seed):
        self.seed = seed
        self.numbers = [0] * BLOCKS
        self.lost = 0

    def check(self, disk, first, synced, issued):
        """What is wrong with the disk after a run whose records begin with `first` and were synced up to `synced`.

        Records up to `issued` may have been written."""
        wanted = list(self.numbers)
        writers = {}  # of each block: the records that may be there
        for number in range(first, issued + 1):
            block, count, _ = record(self.seed, number)
            for at in range(block, block + count):
                if number <= synced:
                    wanted[at] = number
                else:
                    writers.setdefault(at, []).append(number)
        for at in range(BLOCKS):
            place = (FIRST_BLOCK + at) * BLOCK
            content = disk[place:place + BLOCK]
            candidates = [wanted[at], *writers.get(at, [])]
            for number in candidates:
                if content == self.content(number, at):
                    self.numbers[at] = number
                    break
            else:
                word = struct.unpack_from("<Q", content)[0]
                return (f"block {at} begins with the word {word:#x}, of record {word >> 20}; expected that of record "
                        f"{' or '.join(map(str, candidates))}")
        return None

    def content(self, number, block):
        if number == 0 or record(self.seed, number)[2]:
            return ZERO
        return struct.pack("<Q", number << 20 | block) * (BLOCK // 8)
