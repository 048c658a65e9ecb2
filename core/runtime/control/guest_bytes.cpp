#include "runtime/control/guest_bytes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>

namespace backplane::runtime::control {

namespace {

constexpr std::uint64_t page = 4096;

bool is_memory(const Mapping& mapping, std::uint32_t direct) {
    return mapping.window->memory != nullptr && (mapping.window->flags & direct) != 0;
}

std::unexpected<Error> no(std::string why) { return refuse(ErrorKind::Failed, std::move(why)); }

std::string why_not(std::uint64_t address, const Mapping* mapping) {
    if (mapping == nullptr) return fmt::format("nothing is mapped at {:#x}", address);
    if (is_memory(*mapping, BACKPLANE_WINDOW_READ_DIRECT))
        return fmt::format("{:#x} is in {}, which is read-only", address, mapping->owner);
    return fmt::format("{:#x} is in {}, a device; read-bus and write-bus access those, with all "
                       "side effects",
                       address, mapping->owner);
}

}  // namespace

// Cut where the reachable range ends and, for linear addresses, at every page.
std::expected<std::vector<GuestBytes::Piece>, Error>
GuestBytes::pieces(std::uint64_t address, std::uint64_t length, bool for_writing) {
    const std::uint64_t last = cpu_ != nullptr ? std::numeric_limits<std::uint64_t>::max()
                                               : memory_space_size - 1;
    if (address > last || length - 1 > last - address)
        return no(fmt::format("{:#x} and {} bytes go beyond the highest address, {:#x}", address,
                              length, last));
    std::vector<Piece> pieces;
    while (length != 0) {
        std::uint64_t physical = address, size = length;
        if (cpu_ != nullptr) {
            const auto translated = cpu_->translate(address);
            if (!translated)
                return no(fmt::format("no page is mapped at the linear address {:#x}", address));
            physical = *translated;
            size = std::min(size, page - address % page);
        }
        // Whether it may be written is the window's to say: a range is not writable, too, while
        // its page is tracked and clean.
        const Mapping* mapping = for_writing ? machine_.memory().writer_at(physical)
                                             : machine_.memory().reader_at(physical);
        if (mapping == nullptr || !is_memory(*mapping, for_writing ? BACKPLANE_WINDOW_WRITE_DIRECT
                                                                   : BACKPLANE_WINDOW_READ_DIRECT))
            return no(why_not(physical, mapping));
        const backplane_range range = machine_.memory().find(physical);
        size = std::min(size, range.start + range.length - physical);
        pieces.push_back({physical, size, range.memory + (physical - range.start)});
        address += size;
        length -= size;
    }
    return pieces;
}

std::expected<std::vector<std::byte>, Error> GuestBytes::read(std::uint64_t address,
                                                              std::uint64_t length) {
    const auto found = pieces(address, length, false);
    if (!found) return std::unexpected{found.error()};
    std::vector<std::byte> bytes;
    bytes.reserve(length);
    for (const Piece& piece : *found) {
        const auto* from = reinterpret_cast<const std::byte*>(piece.memory);
        bytes.insert(bytes.end(), from, from + piece.length);
    }
    return bytes;
}

std::expected<void, Error> GuestBytes::write(std::uint64_t address,
                                             std::span<const std::byte> bytes) {
    const auto found = pieces(address, bytes.size(), true);
    if (!found) return std::unexpected{found.error()};
    for (const Piece& piece : *found) {
        machine_.memory().write_block(piece.physical, bytes.data(), piece.length);
        bytes = bytes.subspan(piece.length);
    }
    return {};
}

}  // namespace backplane::runtime::control
