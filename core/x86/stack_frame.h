// A stack that a control transfer writes or reads before it becomes the current one.
#pragma once

#include "x86/segmentation.h"

namespace backplane::x86 {

// Whether [offset, offset + bytes) is inside a writable data segment (SDM 3A 5.3). Not for 64-bit
// mode.
constexpr bool stack_allows(const SegmentRegister& segment, std::uint64_t offset, unsigned bytes) {
    if (!(segment.attributes & attribute::present)) return false;
    const std::uint64_t last = offset + bytes - 1;
    if (!(segment.attributes & attribute::expand_down)) return last <= segment.limit;
    return offset > segment.limit &&
           last <= ((segment.attributes & attribute::big) ? 0xffffffffu : 0xffffu);
}

enum class StackWidth : std::uint8_t { Bits16, Bits32, Bits64 };

inline StackWidth stack_width(const SegmentRegister& segment) {
    return (segment.attributes & attribute::big) ? StackWidth::Bits32 : StackWidth::Bits16;
}

inline StackWidth current_stack_width(const CpuState& state) {
    return state.code64() ? StackWidth::Bits64 : stack_width(state.segments[SS]);
}

// Pushes and pops move a private pointer; nothing in the state changes until commit(). A stack that
// a transfer to privilege `cpl` switches to is accessed with that privilege. `violation` is raised
// outside the limit or when an address is not canonical: #SS with error code 0, the new selector or
// EXT (SDM 3A 6.12.1).
template <class M>
class TransferStack {
public:
    TransferStack(M& m, const SegmentRegister& segment, std::uint64_t pointer, StackWidth width,
                  unsigned cpl, Fault violation = {.vector = Vector::StackFault})
        : m_{m}, segment_{segment}, pointer_{pointer}, violation_{violation}, width_{width},
          supervisor_{cpl < 3} {
        // Real and virtual-8086 mode know no types, only the limit.
        if (!uses_descriptors(m.state()))
            segment_.attributes = attribute::present | (segment.attributes & attribute::big);
    }

    // The current stack.
    explicit TransferStack(M& m)
        : TransferStack{m, m.state().segments[SS], m.state().gpr[RSP],
                        current_stack_width(m.state()), m.state().cpl} {}

    template <class T>
    bool push(std::uint64_t value) {
        const std::uint64_t pointer = wrap(pointer_ - sizeof(T));
        const auto address = linear(pointer, sizeof(T));
        if (!address) return false;
        const T narrow = static_cast<T>(value);
        if (!(supervisor_ ? m_.store_system(*address, narrow) : m_.store(*address, narrow)))
            return false;
        pointer_ = pointer;
        return true;
    }

    template <class T>
    std::optional<T> pop() {
        const std::uint64_t pointer = wrap(pointer_);
        const auto address = linear(pointer, sizeof(T));
        if (!address) return {};
        const auto value = supervisor_ ? m_.template load_system<T>(*address)
                                       : m_.template load<T>(*address);
        if (value) pointer_ = wrap(pointer + sizeof(T));
        return value;
    }

    // RET imm16, and the alignment of IA-32e interrupt frames.
    void skip(std::uint64_t bytes) { pointer_ = wrap(pointer_ + bytes); }
    void align_down(std::uint64_t bytes) { pointer_ &= ~(bytes - 1); }

    std::uint64_t pointer() const { return pointer_; }

    void commit() const { set_stack_pointer(m_.state(), pointer_, width_); }

    // A 16-bit stack leaves the upper part of (E)SP alone.
    static void set_stack_pointer(CpuState& state, std::uint64_t pointer, StackWidth width) {
        std::uint64_t& rsp = state.gpr[RSP];
        if (width == StackWidth::Bits64)
            rsp = pointer;
        else if (width == StackWidth::Bits32)
            rsp = static_cast<std::uint32_t>(pointer);
        else
            rsp = (rsp & ~std::uint64_t{0xffff}) | (pointer & 0xffff);
    }

private:
    std::uint64_t wrap(std::uint64_t pointer) const {
        if (width_ == StackWidth::Bits64) return pointer;
        return pointer & (width_ == StackWidth::Bits32 ? 0xffffffffu : 0xffffu);
    }

    std::optional<std::uint64_t> linear(std::uint64_t pointer, unsigned bytes) {
        if (width_ == StackWidth::Bits64) {
            if (is_canonical(pointer) && is_canonical(pointer + bytes - 1)) return pointer;
        } else if (stack_allows(segment_, pointer, bytes)) {
            return static_cast<std::uint32_t>(segment_.base + pointer);
        }
        m_.raise(violation_);
        return {};
    }

    M& m_;
    SegmentRegister segment_;
    std::uint64_t pointer_;
    Fault violation_;
    StackWidth width_;
    bool supervisor_;
};

}  // namespace backplane::x86
