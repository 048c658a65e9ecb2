// The table and the pending bits of MSI-X (PCI Local Bus Specification 3.0, 6.8.2): registers that
// a guest finds behind a base address register.
#pragma once

#include <backplane/abi/window.h>
#include <backplane/connection.h>

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

namespace backplane {

struct PciMessage {
    std::uint64_t address;
    std::uint32_t data;
};

class PciMessageTable {
public:
    static constexpr unsigned max_vectors = 64;

    // `unmasked` is called when a guest unmasks a vector that is pending.
    void resize(unsigned vectors, std::function<void()> unmasked) {
        vectors_ = vectors;
        unmasked_ = std::move(unmasked);
        reset();
    }

    void reset() {
        entries_ = {};
        for (unsigned vector = 0; vector < vectors_; ++vector)
            control(vector) = masked;
        pending_ = 0;
    }

    // The message to send now; none when it is masked, and then it stays pending.
    std::optional<PciMessage> raise(unsigned vector, bool all_masked) {
        if (vector >= vectors_) return std::nullopt;
        if (all_masked || (control(vector) & masked) != 0) {
            pending_ |= bit(vector);
            return std::nullopt;
        }
        return message(vector);
    }

    // Messages that became possible when the function as a whole was unmasked.
    std::vector<PciMessage> take_pending() {
        std::vector<PciMessage> messages;
        for (unsigned vector = 0; vector < vectors_; ++vector) {
            if ((pending_ & bit(vector)) == 0 || (control(vector) & masked) != 0) continue;
            pending_ &= ~bit(vector);
            messages.push_back(message(vector));
        }
        return messages;
    }

    std::uint64_t table_bytes() const { return std::uint64_t{vectors_} * 16; }
    std::uint64_t pending_bytes() const { return (vectors_ + 63) / 64 * 8; }

    backplane_link table_window() {
        static constexpr backplane_window window{
            sizeof(backplane_window),
            0,
            nullptr,
            [](void* object, std::uint64_t offset, std::uint32_t size) noexcept -> std::uint64_t {
                const std::uint32_t entry = self(object).entries_[offset / 4];
                return (entry >> (offset % 4 * 8)) & (~std::uint32_t{0} >> (32 - size * 8));
            },
            [](void* object, std::uint64_t offset, std::uint32_t size,
               std::uint64_t value) noexcept {
                // Narrower writes are undefined there.
                if (size == 4) self(object).write(offset / 4, static_cast<std::uint32_t>(value));
            },
            4,
            0,
            0,
            nullptr,
            nullptr};
        return {&window, this};
    }

    backplane_link pending_window() {
        static constexpr backplane_window window{
            sizeof(backplane_window),
            0,
            nullptr,
            [](void* object, std::uint64_t offset, std::uint32_t size) noexcept -> std::uint64_t {
                return (self(object).pending_ >> (offset * 8)) &
                       (~std::uint64_t{0} >> (64 - size * 8));
            },
            [](void*, std::uint64_t, std::uint32_t, std::uint64_t) noexcept {},
            0,
            0,
            0,
            nullptr,
            nullptr};
        return {&window, this};
    }

    std::array<std::uint32_t, std::size_t{max_vectors} * 4>& saved_entries() { return entries_; }
    std::uint64_t& saved_pending() { return pending_; }

private:
    static constexpr std::uint32_t masked = 1;

    static PciMessageTable& self(void* object) { return *static_cast<PciMessageTable*>(object); }
    static std::uint64_t bit(unsigned vector) { return std::uint64_t{1} << vector; }
    std::uint32_t& control(unsigned vector) { return entries_[vector * 4 + 3]; }

    PciMessage message(unsigned vector) const {
        const std::size_t first = std::size_t{vector} * 4;
        return {entries_[first] | std::uint64_t{entries_[first + 1]} << 32, entries_[first + 2]};
    }

    void write(std::uint64_t index, std::uint32_t value) {
        const auto vector = static_cast<unsigned>(index / 4);
        const bool is_control = index % 4 == 3;
        entries_[index] = is_control ? value & masked : index % 4 == 0 ? value & ~3u : value;
        if (is_control && (value & masked) == 0 && (pending_ & bit(vector)) != 0) unmasked_();
    }

    std::array<std::uint32_t, std::size_t{max_vectors} * 4> entries_{};
    std::uint64_t pending_ = 0;
    unsigned vectors_ = 0;
    std::function<void()> unmasked_;
};

}  // namespace backplane
