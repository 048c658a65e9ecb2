// The packets m, M and X: memory by linear address as the selected CPU translates it, or by
// physical address (Qqemu.PhyMemMode).
#include "runtime/gdb/hex.h"
#include "runtime/gdb/packets.h"
#include "runtime/gdb/stub.h"

#include <algorithm>
#include <utility>

namespace backplane::runtime::gdb {

namespace {

struct Range {
    std::uint64_t address, length;
};

std::optional<Range> range_from(std::string_view text) {
    const auto address = number_from_hex(take_until(text, ','));
    const auto length = number_from_hex(text);
    if (!address || !length) return std::nullopt;
    return Range{*address, *length};
}

}  // namespace

// What is mapped at the beginning is given also when the rest is not.
Stub::Reply Stub::read_memory(std::string_view request) {
    const auto range = range_from(request);
    if (!range) return error::bad_packet;
    std::vector<std::byte> bytes(
        static_cast<std::size_t>(std::min<std::uint64_t>(range->length, longest_packet / 2)));
    if (physical_memory_)
        machine_.memory().read_block(range->address, bytes.data(), bytes.size());
    else
        bytes.resize(LinearMemory{selected(), machine_.memory()}.read(range->address, bytes));
    if (bytes.empty() && range->length != 0) return error::bad_address;
    return to_hex(bytes);
}

Stub::Reply Stub::write_memory(std::string_view request, bool is_binary) {
    const auto range = range_from(take_until(request, ':'));
    std::optional<std::vector<std::byte>> bytes;
    if (is_binary) {
        const auto raw = std::as_bytes(std::span{request});
        bytes.emplace(raw.begin(), raw.end());
    } else {
        bytes = bytes_from_hex(request);
    }
    if (!range || !bytes || bytes->size() != range->length) return error::bad_packet;
    if (physical_memory_) {
        machine_.memory().write_block(range->address, bytes->data(), bytes->size());
        return "OK";
    }
    const std::size_t written = LinearMemory{selected(), machine_.memory()}.write(range->address,
                                                                                  *bytes);
    return written == bytes->size() ? "OK" : error::bad_address;
}

}  // namespace backplane::runtime::gdb
