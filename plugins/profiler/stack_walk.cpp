#include "stack_walk.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

namespace backplane::profiler {

using profile::Caller;

namespace {

// Linux's stacks within the kernel are so large at most, and begin at a multiple of that.
constexpr std::uint64_t kernel_stack = 16 << 10;
constexpr std::uint64_t most_of_a_stack = 8 << 10;
constexpr std::uint64_t largest_frame = 1 << 20;

class Walk {
public:
    Walk(GuestMemory& memory, KnownCalls& known, const StackPlace& place, std::size_t most)
        : memory_{memory}, known_{known}, place_{place}, most_{most},
          word_{place.code_size == 64 ? 8u : 4u} {}

    // Those of code that keeps frame pointers: two in a row are no accident.
    std::vector<Caller> by_frames() {
        constexpr std::size_t fewest = 2;
        std::vector<Caller> callers;
        std::uint64_t frame = place_.frame_pointer, lowest = place_.stack_pointer;
        while (callers.size() < most_ && frame >= lowest && frame - lowest < largest_frame &&
               frame % word_ == 0) {
            const auto next = word_at(frame), address = word_at(frame + word_);
            if (!next || !address || !is_plausible(*address) || !call_before(*address)) break;
            callers.push_back({*address, Caller::by_frame});
            lowest = frame + 2 * word_;
            frame = *next;
        }
        if (callers.size() < fewest) callers.clear();
        return callers;
    }

    std::vector<Caller> by_scan() {
        std::vector<Caller> callers;
        const std::uint64_t start = place_.stack_pointer / word_ * word_;
        std::uint64_t length = most_of_a_stack;
        if (!place_.is_user) length = std::min(length, kernel_stack - start % kernel_stack);
        std::array<std::byte, most_of_a_stack> stack;
        const std::size_t count = memory_.read(start, std::span{stack}.first(length));
        for (std::size_t at = 0; at + word_ <= count && callers.size() < most_; at += word_) {
            std::uint64_t address = 0;
            std::memcpy(&address, &stack[at], word_);
            if (!is_plausible(address)) continue;
            if (const auto target = call_before(address)) callers.push_back({address, *target});
        }
        return callers;
    }

private:
    std::optional<std::uint64_t> word_at(std::uint64_t linear) {
        std::array<std::byte, 8> bytes{};
        if (memory_.read(linear, std::span{bytes}.first(word_)) != word_) return std::nullopt;
        std::uint64_t value = 0;
        std::memcpy(&value, bytes.data(), sizeof value);
        return value;
    }

    // A kernel and its modules call each other, so they are near. What lies in the stack is no
    // code.
    bool is_plausible(std::uint64_t address) const {
        constexpr std::uint64_t call_distance = std::uint64_t{1} << 31, first_page = 0x1000,
                                user_end = std::uint64_t{1} << 47;
        const auto distance = [](std::uint64_t a, std::uint64_t b) {
            return a < b ? b - a : a - b;
        };
        if (address < first_page || distance(address, place_.stack_pointer) < largest_frame)
            return false;
        if (place_.is_user) return address < user_end;
        return distance(address, place_.pc) < call_distance;
    }

    // Where the call goes that returns here; Caller::indirect where that is not in the code.
    std::optional<std::uint64_t> call_before(std::uint64_t address) {
        if (place_.is_user) return decode_call_before(address);
        KnownCalls::Entry& known = known_.at(address);
        if (known.address != address) {
            const auto target = decode_call_before(address);
            known = {address, target.value_or(0), target.has_value()};
        }
        return known.is_call ? std::optional{known.target} : std::nullopt;
    }

    // SDM 2, CALL: E8 with a distance, FF /2 with any address.
    std::optional<std::uint64_t> decode_call_before(std::uint64_t address) {
        constexpr std::size_t longest = 7, direct = 5;
        std::array<std::byte, longest> bytes{};
        if (memory_.read(address - longest, bytes) != longest) return std::nullopt;
        const auto byte = [&](std::size_t before) {
            return std::to_integer<unsigned>(bytes[longest - before]);
        };
        if (byte(direct) == 0xe8) {
            std::int32_t distance = 0;
            std::memcpy(&distance, &bytes[longest - direct + 1], sizeof distance);
            const std::uint64_t target = address +
                                         static_cast<std::uint64_t>(std::int64_t{distance});
            return word_ == 8 ? target : target & 0xffff'ffff;
        }
        for (const std::size_t length : {2, 3, 4, 6, 7})
            if (byte(length) == 0xff && length_of_indirect(byte(length - 1)) == length &&
                (byte(length - 1) >> 3 & 7) == 2)
                return Caller::indirect;
        return std::nullopt;
    }

    // Of FF, its ModRM byte and what follows that. SDM 2 table 2-2; with a SIB byte that has no
    // base it is longer, which is rare.
    static std::size_t length_of_indirect(unsigned modrm) {
        const unsigned mod = modrm >> 6, rm = modrm & 7;
        if (mod == 3) return 2;
        const std::size_t sib = rm == 4 ? 1 : 0;
        if (mod == 0) return rm == 5 ? 6 : 2 + sib;
        return (mod == 1 ? 3 : 6) + sib;
    }

    GuestMemory& memory_;
    KnownCalls& known_;
    const StackPlace& place_;
    std::size_t most_, word_;
};

}  // namespace

std::vector<Caller> walk_stack(GuestMemory& memory, KnownCalls& known, const StackPlace& place,
                               std::size_t most) {
    constexpr unsigned real_mode = 16;
    if (place.code_size == real_mode || most == 0) return {};
    Walk walk{memory, known, place, most};
    std::vector<Caller> callers = walk.by_frames();
    return callers.empty() ? walk.by_scan() : callers;
}

}  // namespace backplane::profiler
