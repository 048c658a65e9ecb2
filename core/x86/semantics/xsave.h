// XSAVE, XSAVEOPT, XSAVEC and XRSTOR, and XGETBV and XSETBV (SDM 1 13, SDM 2).
#pragma once

#include "x86/control_registers.h"
#include "x86/fp_availability.h"
#include "x86/fx_image.h"
#include "x86/machine.h"
#include "x86/semantics/address.h"
#include "x86/vector_operand.h"
#include "x86/xsave_area.h"

namespace backplane::x86::semantics {

template <class M>
bool xsave_enabled(M& m) {
    if (m.state().cr4 & cr4::osxsave) return true;
    m.raise(Fault{Vector::InvalidOpcode});
    return false;
}

// The operand kind checks the 64-byte alignment.
template <class Operand, class M>
bool xsave_area_accessible(M& m) {
    if (!xsave_enabled(m)) return false;
    if (m.state().cr0 & cr0::ts) {
        m.raise(Fault{Vector::DeviceNotAvailable});
        return false;
    }
    return Operand::check(m, Operand::address(m));
}

// All that `components` take of the area is judged, by its segment and by its pages, also what the
// instruction then leaves alone. Op::extra names the segment; the area's address is there already.
template <SegmentAccess access, class M>
bool components_accessible(M& m, std::uint64_t area, std::uint64_t components) {
    const CpuState& state = m.state();
    const std::uint32_t size = xsave::area_size(components);
    const SegmentIndex segment = address_op::segment(m.op().extra);
    const auto offset = static_cast<std::uint32_t>(area - state.segments[segment].base);
    if (!state.code64() && !segmented_address(m, segment, offset, size, access)) return false;
    // It lies in one page or in two.
    for (const std::uint64_t end : {area, area + size - 1}) {
        const auto unchanged = [](std::uint8_t byte) { return byte; };
        const bool accessible =
            access == SegmentAccess::Read
                ? m.template load<std::uint8_t>(end).has_value()
                : m.template update_atomically<std::uint8_t>(end, unchanged).has_value();
        if (!accessible) return false;
    }
    return true;
}

// RFBM: what the instruction asks for of that which the system has enabled.
inline std::uint64_t requested_components(const CpuState& state) {
    return state.xcr0 & (state.gpr[RDX] << 32 | static_cast<std::uint32_t>(state.gpr[RAX]));
}

template <class M>
bool store_upper_halves(M& m, std::uint64_t place) {
    CpuState& state = m.state();
    for (unsigned i = 0; i < fx_image::visible_vectors(state); ++i) {
        Bits128 value;
        std::memcpy(&value, state.vectors[i].bytes.data() + sizeof value, sizeof value);
        if (!m.store(place + 16 * i, value)) return false;
    }
    return true;
}

inline void set_upper_halves(CpuState& state, const fx_image::VectorImage& image) {
    for (unsigned i = 0; i < fx_image::visible_vectors(state); ++i)
        std::memcpy(state.vectors[i].bytes.data() + sizeof image[i], &image[i], sizeof image[i]);
}

template <FxPointers pointers, class M>
bool store_components(M& m, std::uint64_t area, std::uint64_t components) {
    if ((components & xsave::x87) && !fx_image::store_x87<pointers>(m, area)) return false;
    if ((components & xsave::sse) && !fx_image::store_vectors(m, area)) return false;
    return !(components & xsave::avx) || store_upper_halves(m, area + xsave::avx_offset);
}

enum class XsaveKind : std::uint8_t {
    All,        // XSAVE
    Optimized,  // XSAVEOPT: components in their initial configuration are not written
    Compacted,  // XSAVEC: likewise, MXCSR with them, and XCOMP_BV tells the format
};

// XSAVEOPT may also leave out what has not been modified since XRSTOR; that is not tracked.
template <XsaveKind kind, FxPointers pointers>
inline constexpr auto xsave_area = [](auto& m, auto memory) {
    if (!xsave_area_accessible<decltype(memory)>(m)) return Outcome::Fault;
    const CpuState& state = m.state();
    const std::uint64_t area = memory.address(m);
    const std::uint64_t requested = requested_components(state);
    if (!components_accessible<SegmentAccess::Write>(m, area, requested)) return Outcome::Fault;
    const std::uint64_t used = requested & xsave::in_use(state);
    if constexpr (kind == XsaveKind::Compacted) {
        // SDM 1 13.10: an MXCSR that is not the initial one counts here.
        const bool mxcsr_used = guest_mxcsr(m.state()) != mxcsr::power_on;
        const std::uint64_t written = used | (mxcsr_used ? requested & xsave::sse : 0);
        const bool stored = store_components<pointers>(m, area, written) &&
                            (!(written & xsave::sse) || fx_image::store_mxcsr(m, area)) &&
                            m.store(area + xsave::header,
                                    Bits128{written, requested | xsave::compacted});
        return stored ? Outcome::Next : Outcome::Fault;
    } else {
        // The bits of other components stay in XSTATE_BV.
        const auto before = m.template load<std::uint64_t>(area + xsave::header);
        if (!before) return Outcome::Fault;
        const bool with_mxcsr = requested & (xsave::sse | xsave::avx);
        const bool stored = store_components<pointers>(m, area,
                                                       kind == XsaveKind::All ? requested : used) &&
                            (!with_mxcsr || fx_image::store_mxcsr(m, area)) &&
                            m.store(area + xsave::header, (*before & ~requested) | used);
        return stored ? Outcome::Next : Outcome::Fault;
    }
};

// Whether XRSTOR accepts the header; `model` says whether it knows the compacted format.
inline bool is_valid_header(const CpuModel& model, const CpuState& state,
                            const std::array<std::uint64_t, 8>& header) {
    const std::uint64_t xstate_bv = header[0], xcomp_bv = header[1];
    if (xcomp_bv & xsave::compacted) {
        const std::uint64_t components = xcomp_bv & ~xsave::compacted;
        return model.has(Feature::Xsavec) && !(components & ~state.xcr0) &&
               !(xstate_bv & ~components) &&
               std::all_of(header.begin() + 2, header.end(), [](auto word) { return word == 0; });
    }
    return !(xstate_bv & ~state.xcr0) && xcomp_bv == 0 && header[2] == 0;
}

template <FxPointers pointers>
inline constexpr auto xrstor = [](auto& m, auto memory) {
    if (!xsave_area_accessible<decltype(memory)>(m)) return Outcome::Fault;
    CpuState& state = m.state();
    const std::uint64_t area = memory.address(m);
    std::array<std::uint64_t, 8> header;
    for (unsigned i = 0; i < header.size(); ++i) {
        const auto word = m.template load<std::uint64_t>(area + xsave::header + 8 * i);
        if (!word) return Outcome::Fault;
        header[i] = *word;
    }
    if (!is_valid_header(m.system().model(), state, header))
        return m.raise(Fault{Vector::GeneralProtection});

    const std::uint64_t requested = requested_components(state);
    const std::uint64_t loaded = requested & header[0];
    const bool is_compacted = header[1] & xsave::compacted;
    if (!components_accessible<SegmentAccess::Read>(m, area, is_compacted ? loaded : requested))
        return Outcome::Fault;
    const unsigned count = fx_image::visible_vectors(state);
    // What is not loaded is set to its initial configuration.
    fx_image::X87Image x87{Bits128{x87_control::power_on}};
    fx_image::VectorImage vectors{}, upper_halves{};
    if ((loaded & xsave::x87) && !fx_image::load(m, area, x87, x87.size())) return Outcome::Fault;
    if ((loaded & xsave::sse) && !fx_image::load(m, area + fx_image::vectors, vectors, count))
        return Outcome::Fault;
    if ((loaded & xsave::avx) && !fx_image::load(m, area + xsave::avx_offset, upper_halves, count))
        return Outcome::Fault;
    // The standard format has MXCSR apart from the components; the compacted one with SSE.
    const bool sets_mxcsr = requested & (is_compacted ? xsave::sse : xsave::sse | xsave::avx);
    std::uint32_t new_mxcsr = mxcsr::power_on;
    if (sets_mxcsr && (!is_compacted || (loaded & xsave::sse))) {
        const auto word = m.template load<std::uint32_t>(area + fx_image::mxcsr);
        if (!word) return Outcome::Fault;
        new_mxcsr = *word;
    }
    if (new_mxcsr & ~mxcsr::writable) return m.raise(Fault{Vector::GeneralProtection});

    if (requested & xsave::x87) fx_image::set_x87<pointers>(state, x87);
    if (requested & xsave::sse) fx_image::set_vectors(state, vectors);
    if (requested & xsave::avx) set_upper_halves(state, upper_halves);
    if (sets_mxcsr) set_guest_mxcsr(state, new_mxcsr);
    return Outcome::Next;
};

// ECX 0 is XCR0; ECX 1 what of it is in use.
inline constexpr auto xgetbv = [](auto& m) {
    if (!xsave_enabled(m)) return Outcome::Fault;
    CpuState& state = m.state();
    const auto index = static_cast<std::uint32_t>(state.gpr[RCX]);
    const bool has_in_use = m.system().model().has(Feature::Xgetbv1);
    if (index > 1 || (index == 1 && !has_in_use)) return m.raise(general_protection());
    const std::uint64_t value = index == 0 ? state.xcr0 : state.xcr0 & xsave::in_use(state);
    state.gpr[RAX] = static_cast<std::uint32_t>(value);
    state.gpr[RDX] = value >> 32;
    return Outcome::Next;
};

inline constexpr auto xsetbv = [](auto& m) {
    if (!xsave_enabled(m)) return Outcome::Fault;
    CpuState& state = m.state();
    const std::uint64_t value = state.gpr[RDX] << 32 | static_cast<std::uint32_t>(state.gpr[RAX]);
    if (state.cpl != 0 || static_cast<std::uint32_t>(state.gpr[RCX]) != 0 ||
        !xsave::is_valid_xcr0(m.system().model(), value))
        return m.raise(general_protection());
    state.xcr0 = value;
    m.system().mode_changed();
    return Outcome::Leave;
};

}  // namespace backplane::x86::semantics
