#include "spd_contents.h"

#include <algorithm>
#include <bit>
#include <string_view>

namespace backplane::chipset {

namespace {

constexpr std::uint64_t mib = 1 << 20;

// Bytes of the standard by number.
enum Byte : unsigned {
    bytes_used,
    log2_size,
    memory_type,
    row_bits,
    column_bits,
    ranks,
    data_width,
    voltage = 8,
    cycle_time,
    access_time,
    refresh = 12,
    device_width,
    back_to_back = 15,
    burst_lengths,
    banks,
    cas_latencies,
    cs_latency,
    write_latency_or_module,
    trp = 27,
    trrd,
    trcd,
    tras,
    rank_size,
    revision = 62,
    checksum,
    manufacturer,
    part_number = 73
};

constexpr unsigned internal_banks = 4;
constexpr unsigned part_number_bytes = 18;

// What a kind of memory has, whatever its size.
struct Kind {
    std::uint8_t type, voltage, cycle_time, access_time, back_to_back, burst_lengths, cas_latencies,
        cs_latency, byte_20, trp, trrd, trcd, tras, revision;
    std::uint8_t one_rank;                      // how byte 5 says it
    std::uint64_t smallest_rank, largest_rank;  // as byte 31 can say it
    std::string_view part;
};

// PC133, PC2100 and PC2-3200 modules of one or two ranks.
constexpr std::array kinds{Kind{.type = 0x04,
                                .voltage = 0x01,
                                .cycle_time = 0x75,
                                .access_time = 0x54,
                                .back_to_back = 0x01,
                                .burst_lengths = 0x8f,
                                .cas_latencies = 0x06,
                                .cs_latency = 0x01,
                                .byte_20 = 0x01,
                                .trp = 20,
                                .trrd = 15,
                                .trcd = 20,
                                .tras = 45,
                                .revision = 0x12,
                                .one_rank = 1,
                                .smallest_rank = 4 * mib,
                                .largest_rank = 512 * mib,
                                .part = "BACKPLANE PC133"},
                           Kind{.type = 0x07,
                                .voltage = 0x04,
                                .cycle_time = 0x75,
                                .access_time = 0x75,
                                .back_to_back = 0x01,
                                .burst_lengths = 0x0e,
                                .cas_latencies = 0x0c,
                                .cs_latency = 0x01,
                                .byte_20 = 0x02,
                                .trp = 80,
                                .trrd = 60,
                                .trcd = 80,
                                .tras = 45,
                                .revision = 0x11,
                                .one_rank = 1,
                                .smallest_rank = 32 * mib,
                                .largest_rank = 1024 * mib,
                                .part = "BACKPLANE PC2100"},
                           Kind{.type = 0x08,
                                .voltage = 0x05,
                                .cycle_time = 0x50,
                                .access_time = 0x60,
                                .back_to_back = 0x00,
                                .burst_lengths = 0x0c,
                                .cas_latencies = 0x38,
                                .cs_latency = 0x00,
                                .byte_20 = 0x02,
                                .trp = 60,
                                .trrd = 30,
                                .trcd = 60,
                                .tras = 45,
                                .revision = 0x12,
                                .one_rank = 0x60,
                                .smallest_rank = 128 * mib,
                                .largest_rank = 2048 * mib,
                                .part = "BACKPLANE PC2-3200"}};

// One bit for the size of a rank, counted from the bit of a size. DDR and DDR2 go round: sizes of
// 1 GiB and more are the low bits.
std::uint8_t size_bit(SpdMemory memory, std::uint64_t bytes) {
    constexpr std::array<std::uint64_t, 3> of_bit_0{4 * mib, 1024 * mib, 1024 * mib};
    const std::uint64_t base = of_bit_0[static_cast<std::size_t>(memory)];
    if (bytes >= base) return static_cast<std::uint8_t>(bytes / base);
    const std::uint64_t top = memory == SpdMemory::Ddr2 ? 128 * mib : 4 * mib;
    return static_cast<std::uint8_t>(memory == SpdMemory::Ddr2 ? 0x20 * (bytes / top)
                                                               : bytes / top);
}

// A rank as large as the standard allows, rather than two.
unsigned rank_count(const Kind& kind, std::uint64_t bytes) {
    return bytes > kind.largest_rank ? 2 : 1;
}

}  // namespace

bool spd_size_is_possible(SpdMemory memory, std::uint64_t bytes) {
    const Kind& kind = kinds[static_cast<std::size_t>(memory)];
    return std::has_single_bit(bytes) && bytes >= kind.smallest_rank &&
           bytes <= kind.largest_rank * 2;
}

std::array<std::uint8_t, 256> spd_contents(SpdMemory memory, std::uint64_t bytes) {
    const Kind& kind = kinds[static_cast<std::size_t>(memory)];
    const unsigned rank_number = rank_count(kind, bytes);
    const std::uint64_t one_rank = bytes / rank_number;
    // Eight chips of eight bits: rows and columns address a byte of each bank.
    const auto address_bits = static_cast<unsigned>(
        std::countr_zero(one_rank / 8 / internal_banks));
    const unsigned columns = address_bits > 23 ? 11 : address_bits > 21 ? 10 : address_bits / 2;

    std::array<std::uint8_t, 256> spd{};
    spd[bytes_used] = 128;
    spd[log2_size] = 8;
    spd[memory_type] = kind.type;
    spd[row_bits] = static_cast<std::uint8_t>(address_bits - columns);
    spd[column_bits] = static_cast<std::uint8_t>(columns);
    spd[ranks] = static_cast<std::uint8_t>(kind.one_rank + rank_number - 1);
    spd[data_width] = 64;
    spd[voltage] = kind.voltage;
    spd[cycle_time] = kind.cycle_time;
    spd[access_time] = kind.access_time;
    spd[refresh] = 0x82;  // 7.8 us, self refresh
    spd[device_width] = 8;
    spd[back_to_back] = kind.back_to_back;
    spd[burst_lengths] = kind.burst_lengths;
    spd[banks] = internal_banks;
    spd[cas_latencies] = kind.cas_latencies;
    spd[cs_latency] = kind.cs_latency;
    spd[write_latency_or_module] = kind.byte_20;
    spd[trp] = kind.trp;
    spd[trrd] = kind.trrd;
    spd[trcd] = kind.trcd;
    spd[tras] = kind.tras;
    spd[rank_size] = size_bit(memory, one_rank);
    spd[revision] = kind.revision;
    std::ranges::fill_n(spd.begin() + manufacturer, 8, std::uint8_t{0});
    std::ranges::fill_n(spd.begin() + part_number, part_number_bytes, std::uint8_t{' '});
    std::ranges::copy(kind.part.substr(0, part_number_bytes), spd.begin() + part_number);
    unsigned sum = 0;
    for (unsigned index = 0; index < checksum; ++index)
        sum += spd[index];
    spd[checksum] = static_cast<std::uint8_t>(sum);
    return spd;
}

}  // namespace backplane::chipset
