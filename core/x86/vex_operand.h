// Operand kinds of VEX encodings (SDM 2 2.3): a destination apart from the first source, XMM
// results that clear the upper half of the YMM register, memory of any alignment.
//
// An SSE semantic `dst := dst op src` is the VEX one when its dst is a VexTarget, which reads the
// first source and writes the destination.
#pragma once

#include "x86/operand.h"
#include "x86/vector.h"

namespace backplane::x86 {

// What Op::extra holds: the registers for which reg and rm leave no place.
namespace vex_op {
constexpr std::uint32_t pack(unsigned first_source, unsigned fourth) {
    return first_source | fourth << 8;
}
constexpr unsigned first_source(std::uint32_t extra) { return extra & 0xff; }
constexpr unsigned fourth(std::uint32_t extra) { return extra >> 8; }
}  // namespace vex_op

// Which field of an op names a register.
struct InReg {
    static unsigned number(const Op& op) { return op.reg; }
};
struct InRm {
    static unsigned number(const Op& op) { return op.rm; }
};
struct InIndex {
    static unsigned number(const Op& op) { return op.index; }
};
struct InFirstSource {
    static unsigned number(const Op& op) { return vex_op::first_source(op.extra); }
};
struct InFourth {
    static unsigned number(const Op& op) { return vex_op::fourth(op.extra); }
};

// Value is what the instruction takes from the register: all of it, the XMM half, or a scalar in
// the low lane. Whatever is written, zeros come above it.
template <class T, class Destination, class Source = Destination>
struct VexRegister {
    using Value = T;
    static constexpr bool is_memory = false, is_vex = true;

    template <class M>
    static std::optional<T> read(M& m) {
        T value;
        std::memcpy(&value, m.state().vectors[Source::number(m.op())].bytes.data(), sizeof value);
        return value;
    }

    template <class M>
    static bool write(M& m, T value) {
        VectorRegister whole{};
        std::memcpy(whole.bytes.data(), &value, sizeof value);
        m.state().vectors[Destination::number(m.op())] = whole;
        return true;
    }

    // What an instruction that faults halfway leaves: nothing above is cleared yet.
    template <class M>
    static void write_part(M& m, T value) {
        std::memcpy(m.state().vectors[Destination::number(m.op())].bytes.data(), &value,
                    sizeof value);
    }
};

template <class T> using VexReg = VexRegister<T, InReg>;
template <class T> using VexRm = VexRegister<T, InRm>;
template <class T> using VexTarget = VexRegister<T, InReg, InFirstSource>;
template <class T> using VexFourth = VexRegister<T, InFourth>;

// Memory of any alignment. Unlike Memory<T> it tells a semantic without a vector register that it
// is the VEX form.
template <class T>
struct VexMemory {
    using Value = T;
    static constexpr bool is_memory = true, is_vex = true;

    template <class M>
    static std::uint64_t address(M& m) {
        return linear_address(m);
    }

    template <class M>
    static std::optional<T> read(M& m) {
        return m.template load<T>(linear_address(m));
    }

    template <class M>
    static bool write(M& m, T value) {
        return m.store(linear_address(m), value);
    }
};

}  // namespace backplane::x86
