// Turns a linear address into a physical one by walking the guest's page tables (SDM 3A chapter 4).
#pragma once

#include "x86/cpu_state.h"
#include "x86/fault.h"

#include <array>
#include <cstdint>
#include <expected>
#include <optional>

namespace backplane::x86 {

constexpr unsigned page_shift = 12;
constexpr std::uint64_t page_size = 1u << page_shift;
constexpr std::uint64_t page_offset_mask = page_size - 1;

enum class AccessKind : std::uint8_t { Read, Write, Execute };
enum class Privilege : std::uint8_t { Supervisor, User };

// Error code of a page fault (SDM 3A 4.7).
namespace page_fault {
constexpr std::uint32_t present = 1u << 0, write = 1u << 1, user = 1u << 2, reserved = 1u << 3,
                        fetch = 1u << 4;
}

namespace page_entry {
constexpr std::uint64_t present = 1u << 0, writable = 1u << 1, user = 1u << 2, accessed = 1u << 5,
                        dirty = 1u << 6;
constexpr std::uint64_t large = 1u << 7, global = 1u << 8, no_execute = std::uint64_t{1} << 63;
constexpr std::uint64_t address = 0x000f'ffff'ffff'f000;
}  // namespace page_entry

namespace control {
constexpr std::uint64_t cr0_wp = 1u << 16, cr4_pse = 1u << 4, cr4_pae = 1u << 5, cr4_pge = 1u << 7;
constexpr std::uint64_t cr4_la57 = 1u << 12, cr4_smep = 1u << 20, cr4_smap = 1u << 21;
constexpr std::uint64_t efer_lma = 1u << 10, efer_nxe = 1u << 11;
}  // namespace control

// What of the processor's state decides a translation; kept by the engine and renewed by
// mode_changed().
struct PagingMode {
    enum class Format : std::uint8_t { None, Bits32, Pae, FourLevel };

    Format format = Format::None;
    bool write_protect = false, no_execute = false, global_pages = false, large_pages_32 = false;
    bool smep = false, smap = false;
    bool gigabyte_pages = true, pse36 = true;  // of the CPU model
    std::uint8_t physical_bits = 40;
    std::uint64_t root = 0;
    std::array<std::uint64_t, 4> pdpte{};  // PAE: as loaded with CR3 (SDM 3A 4.4.1)

    static PagingMode of(const CpuState& state, const std::array<std::uint64_t, 4>& pdpte,
                         std::uint8_t physical_bits) {
        PagingMode mode;
        mode.physical_bits = physical_bits;
        mode.pdpte = pdpte;
        mode.root = state.cr3;
        mode.write_protect = state.cr0 & control::cr0_wp;
        mode.global_pages = state.cr4 & control::cr4_pge;
        mode.large_pages_32 = state.cr4 & control::cr4_pse;
        mode.smep = state.cr4 & control::cr4_smep;
        mode.smap = state.cr4 & control::cr4_smap;
        if (!state.paging()) return mode;
        if (!(state.cr4 & control::cr4_pae)) {
            mode.format = Format::Bits32;
            return mode;
        }
        mode.no_execute = state.efer & control::efer_nxe;
        mode.format = state.long_mode() ? Format::FourLevel : Format::Pae;
        return mode;
    }
};

// A page the access may use. The permissions are those of all levels together, so an engine can
// keep them.
struct PageTranslation {
    std::uint64_t physical = 0;  // of the first byte of the page
    std::uint8_t shift = page_shift;
    bool writable = true, user = true, executable = true, global = false;
    bool dirty = true;  // the dirty bit is set: writes need no walk
};

struct PageAccess {
    AccessKind kind = AccessKind::Read;
    Privilege privilege = Privilege::Supervisor;
    // SMAP: EFLAGS.AC is set and the access is explicit (SDM 3A 4.6.1)
    bool allow_user_data = true;
};

// May an access use a page with these permissions? (SDM 3A 4.6)
inline bool permits(const PagingMode& mode, const PageTranslation& page, PageAccess access) {
    const bool by_user = access.privilege == Privilege::User;
    if (by_user && !page.user) return false;
    if (access.kind == AccessKind::Execute)
        return page.executable && (by_user || !page.user || !mode.smep);
    if (!by_user && page.user && mode.smap && !access.allow_user_data) return false;
    return access.kind == AccessKind::Read || page.writable || (!by_user && !mode.write_protect);
}

// Walks the tables of one mode. Memory offers
//   optional<uint64_t> read_entry(physical, bytes)                       empty: no memory there
//   bool update_entry(physical, bytes, expected, value)                  atomic compare and
//   exchange
template <class Memory>
class PageWalker {
public:
    PageWalker(Memory& memory, const PagingMode& mode) : memory_{memory}, mode_{mode} {}

    // The page fault is complete, CR2's value included.
    std::expected<PageTranslation, Fault> translate(std::uint64_t linear, PageAccess access) {
        if (mode_.format == PagingMode::Format::None)
            return PageTranslation{.physical = linear & ~page_offset_mask};
        for (;;) {
            page_ = {};
            used_ = 0;
            const Result result = mode_.format == PagingMode::Format::Bits32 ? walk32(linear)
                                                                             : walk64(linear);
            if (result == Result::NotPresent) return std::unexpected{fault(linear, access, 0)};
            if (result == Result::Reserved)
                return std::unexpected{
                    fault(linear, access, page_fault::present | page_fault::reserved)};
            if (!permits(mode_, page_, access))
                return std::unexpected{fault(linear, access, page_fault::present)};
            if (mark_used(access.kind == AccessKind::Write)) return page_;
        }
    }

    // As a debugger sees it: no permissions, no accessed or dirty bits.
    std::optional<PageTranslation> look_up(std::uint64_t linear) {
        if (mode_.format == PagingMode::Format::None)
            return PageTranslation{.physical = linear & ~page_offset_mask};
        page_ = {};
        used_ = 0;
        const Result result = mode_.format == PagingMode::Format::Bits32 ? walk32(linear)
                                                                         : walk64(linear);
        if (result != Result::Found) return std::nullopt;
        return page_;
    }

private:
    enum class Result : std::uint8_t { Found, NotPresent, Reserved };
    struct Used {
        std::uint64_t place, value;
    };

    std::uint64_t reserved_bits() const {
        // Bits from the physical width up to 51, and NX where it is not enabled (SDM 3A 4.5.4).
        const std::uint64_t above = page_entry::address &
                                    ~((std::uint64_t{1} << mode_.physical_bits) - 1);
        return above | (mode_.no_execute ? 0 : page_entry::no_execute);
    }

    // Of a 4 MiB page: bits 20 to 13 are bits 39 to 32 of the address, as far as the processor has
    // them; bit 21 is always reserved (SDM 3A table 4-4).
    std::uint64_t reserved_bits32() const {
        const unsigned width = !mode_.pse36               ? 32u
                               : mode_.physical_bits < 40 ? mode_.physical_bits
                                                          : 40u;
        return (1u << 22) - (1u << (width - 19));
    }

    void narrow(std::uint64_t entry) {
        page_.writable &= (entry & page_entry::writable) != 0;
        page_.user &= (entry & page_entry::user) != 0;
        page_.executable &= (entry & page_entry::no_execute) == 0;
    }

    Result finish(std::uint64_t entry, std::uint64_t physical, unsigned shift) {
        page_.physical = physical;
        page_.shift = static_cast<std::uint8_t>(shift);
        page_.global = mode_.global_pages && (entry & page_entry::global);
        page_.dirty = entry & page_entry::dirty;
        return Result::Found;
    }

    Result walk64(std::uint64_t linear) {
        std::uint64_t table = mode_.root & page_entry::address;
        unsigned level = 4;
        std::uint64_t reserved = reserved_bits();
        if (mode_.format == PagingMode::Format::Pae) {
            const std::uint64_t pdpte = mode_.pdpte[(linear >> 30) & 3];
            if (!(pdpte & page_entry::present)) return Result::NotPresent;
            table = pdpte & page_entry::address;
            level = 2;
            reserved |= 0x7ff0'0000'0000'0000;  // outside IA-32e mode bits 62-52 are reserved too
                                                // (table 4-9)
        }
        entry_bytes_ = 8;
        for (;; --level) {
            const unsigned shift = page_shift + 9 * (level - 1);
            const std::uint64_t place = table + ((linear >> shift) & 511) * 8;
            const std::optional<std::uint64_t> entry = memory_.read_entry(place, 8);
            if (!entry || !(*entry & page_entry::present)) return Result::NotPresent;
            if (*entry & reserved) return Result::Reserved;
            trail_[used_++] = {place, *entry};
            narrow(*entry);
            if (level == 1) return finish(*entry, *entry & page_entry::address, shift);
            if (*entry & page_entry::large) {
                // PML4 entries have no page size bit, and page-directory-pointer entries only where
                // there are 1 GiB pages; bit 12 of a large page is PAT, the rest must be zero.
                const std::uint64_t offset_bits = (std::uint64_t{1} << shift) -
                                                  (std::uint64_t{1} << 13);
                const bool exists = level == 2 || (level == 3 && mode_.gigabyte_pages);
                if (!exists || (*entry & offset_bits)) return Result::Reserved;
                return finish(*entry,
                              *entry & page_entry::address & ~((std::uint64_t{1} << shift) - 1),
                              shift);
            }
            table = *entry & page_entry::address;
        }
    }

    // Two levels of 32-bit entries (SDM 3A 4.3); 4 MiB pages reach 40 bits of physical address
    // (PSE-36).
    Result walk32(std::uint64_t linear) {
        entry_bytes_ = 4;
        const std::uint64_t place = (mode_.root & 0xffff'f000) + ((linear >> 22) & 1023) * 4;
        const std::optional<std::uint64_t> directory = memory_.read_entry(place, 4);
        if (!directory || !(*directory & page_entry::present)) return Result::NotPresent;
        trail_[used_++] = {place, *directory};
        narrow(*directory);
        if ((*directory & page_entry::large) && mode_.large_pages_32) {
            if (*directory & reserved_bits32()) return Result::Reserved;
            const std::uint64_t physical = (*directory & 0xffc0'0000) |
                                           ((*directory >> 13 & 0xff) << 32);
            return finish(*directory, physical, 22);
        }
        const std::uint64_t table_place = (*directory & 0xffff'f000) + ((linear >> 12) & 1023) * 4;
        const std::optional<std::uint64_t> entry = memory_.read_entry(table_place, 4);
        if (!entry || !(*entry & page_entry::present)) return Result::NotPresent;
        trail_[used_++] = {table_place, *entry};
        narrow(*entry);
        return finish(*entry, *entry & 0xffff'f000, page_shift);
    }

    // SDM 3A 4.8. False: another processor changed an entry meanwhile, walk again.
    bool mark_used(bool write) {
        for (unsigned i = 0; i < used_; ++i) {
            const bool leaf = i + 1 == used_;
            const std::uint64_t wanted = page_entry::accessed |
                                         (leaf && write ? page_entry::dirty : 0);
            const auto [place, value] = trail_[i];
            if ((value & wanted) == wanted) continue;
            if (!memory_.update_entry(place, entry_bytes_, value, value | wanted)) return false;
        }
        page_.dirty |= write;
        return true;
    }

    Fault fault(std::uint64_t linear, PageAccess access, std::uint32_t code) const {
        if (access.kind == AccessKind::Write) code |= page_fault::write;
        if (access.privilege == Privilege::User) code |= page_fault::user;
        // SDM 3A 4.7: the I/D bit is defined only where fetches can be told apart.
        if (access.kind == AccessKind::Execute && (mode_.no_execute || mode_.smep))
            code |= page_fault::fetch;
        return {Vector::PageFault, code, linear};
    }

    Memory& memory_;
    const PagingMode& mode_;
    PageTranslation page_;
    std::array<Used, 4> trail_{};
    unsigned used_ = 0, entry_bytes_ = 8;
};

}  // namespace backplane::x86
