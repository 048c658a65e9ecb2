// Operand kinds of the MMX and SSE instructions; they follow the contract of operand.h.
#pragma once

#include "x86/fault.h"
#include "x86/operand.h"
#include "x86/vector.h"

namespace backplane::x86 {

// An XMM register. Value is what the instruction takes from it: all of it, or a scalar in the low
// lane.
template <class T, std::uint8_t Op::* field>
struct XmmRegister {
    using Value = T;
    static constexpr bool is_memory = false;

    template <class M>
    static std::optional<T> read(M& m) {
        T value;
        std::memcpy(&value, m.state().vectors[m.op().*field].bytes.data(), sizeof value);
        return value;
    }

    // Legacy SSE instructions leave the upper half of a YMM register alone (SDM 1 14.1.3), and so a
    // narrow write leaves the rest of the XMM register.
    template <class M>
    static bool write(M& m, T value) {
        std::memcpy(m.state().vectors[m.op().*field].bytes.data(), &value, sizeof value);
        return true;
    }
};

template <class T> using XmmReg = XmmRegister<T, &Op::reg>;
template <class T> using XmmRm = XmmRegister<T, &Op::rm>;

// The third operand of PBLENDVB, BLENDVPS, BLENDVPD and SHA256RNDS2, which no field names.
struct Xmm0 {
    using Value = Bits128;
    static constexpr bool is_memory = false;

    template <class M>
    static std::optional<Bits128> read(M& m) {
        Bits128 value;
        std::memcpy(&value, m.state().vectors[0].bytes.data(), sizeof value);
        return value;
    }
};

// An MMX register is the significand of a physical x87 register; writing it makes the value a NaN
// to the x87 unit (SDM 1 9.5.1). The transition of TOP and the tags is the semantic's business.
template <class T, std::uint8_t Op::* field>
struct MmxRegister {
    using Value = T;
    static constexpr bool is_memory = false;

    template <class M>
    static std::optional<T> read(M& m) {
        return static_cast<T>(m.state().x87.registers[m.op().*field].significand);
    }

    template <class M>
    static bool write(M& m, std::uint64_t value) {
        m.state().x87.registers[m.op().*field] = {value, 0xffff};
        return true;
    }
};

template <class T> using MmxReg = MmxRegister<T, &Op::reg>;
template <class T> using MmxRm = MmxRegister<T, &Op::rm>;

// Memory that must be aligned to its size; #GP(0) otherwise, before the access is tried (SDM 2,
// exception type 2).
template <class T>
struct AlignedMemory {
    using Value = T;
    static constexpr bool is_memory = true;

    template <class M>
    static std::uint64_t address(M& m) {
        return linear_address(m);
    }

    template <class M>
    static bool check(M& m, std::uint64_t address) {
        if (address % sizeof(T) == 0) [[likely]]
            return true;
        m.raise(Fault{Vector::GeneralProtection});
        return false;
    }

    template <class M>
    static std::optional<T> read(M& m) {
        const std::uint64_t place = linear_address(m);
        if (!check(m, place)) return {};
        return m.template load<T>(place);
    }

    template <class M>
    static bool write(M& m, T value) {
        const std::uint64_t place = linear_address(m);
        return check(m, place) && m.store(place, value);
    }
};

}  // namespace backplane::x86
