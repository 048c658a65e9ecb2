// The interpreter's side of memory: translation behind the first-level TLB, devices, and what
// flushes reach.
#include "interp/interpreter.h"
#include "x86/cpu_model.h"
#include "x86/guest_floating_point.h"

#include <atomic>
#include <cstring>

namespace backplane::interp {

using x86::AccessKind;
using x86::Fault;
using x86::PageAccess;
using x86::PageTranslation;
using x86::Privilege;
using x86::Vector;

namespace {

// SDM 1 3.3.7.1: bits 63 to 47 are all equal.
bool is_canonical(std::uint64_t linear) {
    return static_cast<std::uint64_t>(static_cast<std::int64_t>(linear << 16) >> 16) == linear;
}

PageAccess access_of(View through, AccessKind kind) {
    return {kind, privilege_of(through), through == View::SupervisorUserData};
}

}  // namespace

// ---- Translation ----

const PhysicalRange& Interpreter::range_of(std::uint64_t physical) {
    for (const PhysicalRange& range : ranges_)
        if (range.contains(physical)) return range;
    const x86::HostFloatingPoint host;
    const PhysicalRange found = bus_.find(physical);
    PhysicalRange& place = found.memory ? ranges_[next_range_++ % ranges_.size()] : device_range_;
    return place = found;
}

std::optional<std::uint64_t> Interpreter::read_entry(std::uint64_t physical, unsigned bytes) {
    physical = gated(physical);
    const PhysicalRange& range = range_of(physical);
    std::uint64_t value = 0;
    if (range.memory && range.readable)
        std::memcpy(&value, range.host(physical), bytes);
    else
        value = read_bus(physical, bytes);
    return value;
}

bool Interpreter::update_entry(std::uint64_t physical, unsigned bytes, std::uint64_t expected,
                               std::uint64_t value) {
    physical = gated(physical);
    const PhysicalRange& range = range_of(physical);
    if (!range.memory || !range.writable) return true;  // tables in ROM keep their bits
    std::uint8_t* place = range.host(physical);
    if (is_foreign_code(physical)) claim_code_page(physical & ~x86::page_offset_mask);
    const auto exchange = [&]<class T>(T before, T after) {
        return __sync_bool_compare_and_swap(reinterpret_cast<T*>(place), before, after);
    };
    const bool done = bytes == 8 ? exchange(expected, value)
                                 : exchange(static_cast<std::uint32_t>(expected),
                                            static_cast<std::uint32_t>(value));
    const std::uint64_t page = physical & ~x86::page_offset_mask;
    if (done && blocks_.has_code(page)) code_written(physical, bytes);
    return done;
}

// With the A20 gate closed pages larger than its bit are taken apart, and not remembered.
std::expected<PageTranslation, Fault> Interpreter::translate(std::uint64_t linear,
                                                             PageAccess access) {
    auto page = translate_ungated(linear, access);
    if (a20_open_ || !page) return page;
    const std::uint64_t offset = linear & ((std::uint64_t{1} << page->shift) - 1);
    page->physical = gated(page->physical + (offset & ~x86::page_offset_mask));
    page->shift = x86::page_shift;
    return page;
}

std::expected<PageTranslation, Fault> Interpreter::translate_ungated(std::uint64_t linear,
                                                                     PageAccess access) {
    if (paging_.format == x86::PagingMode::Format::None)
        return PageTranslation{.physical = linear & 0xffff'ffff & ~x86::page_offset_mask};
    if (paging_.format == x86::PagingMode::Format::FourLevel) {
        // The address tells this fault from others (dispatch.cpp, is_stack_reference).
        if (!is_canonical(linear))
            return std::unexpected{Fault{.vector = Vector::GeneralProtection, .address = linear}};
    } else {
        linear &= 0xffff'ffff;
    }
    if (const PageTranslation* known = second_level_.find(linear)) {
        const bool usable = x86::permits(paging_, *known, access);
        if (usable && (access.kind != AccessKind::Write || known->dirty)) return *known;
    }
    // Also where the remembered permissions refuse: they may be older than the tables (SDM
    // 3A 4.10.2.1).
    count(Counter::PageWalks);
    auto page = x86::PageWalker{*this, paging_}.translate(linear, access);
    if (page) second_level_.insert(linear, *page);
    return page;
}

std::optional<Interpreter::Page> Interpreter::resolve(std::uint64_t linear, AccessKind kind,
                                                      View through) {
    const Doing work = doing(Activity::Memory);
    count(Counter::TlbMisses);
    if (is_in_compiled()) count(Counter::CompiledTranslations);
    if (mode_stale_) refresh_mode();
    if (is_unreachable(linear)) [[unlikely]] {
        set_fault(unreachable_fault);
        return std::nullopt;
    }
    const auto page = translate(linear, access_of(through, kind));
    if (!page) {
        set_fault(page.error());
        return std::nullopt;
    }
    const std::uint64_t physical = page->physical +
                                   (linear & ((std::uint64_t{1} << page->shift) - 1));
    if (kind == AccessKind::Write && is_foreign_code(physical))
        claim_code_page(physical & ~x86::page_offset_mask);
    const PhysicalRange& range = range_of(physical);
    const bool has_code = blocks_.has_code(physical & ~x86::page_offset_mask);
    const bool direct = range.memory &&
                        (kind == AccessKind::Write ? range.writable : range.readable);
    if (direct) fill(linear, through, *page, range, physical, has_code);
    return Page{physical, direct ? range.host(physical) : nullptr, has_code};
}

bool Interpreter::refill(std::uint64_t linear, std::uint32_t size, AccessKind kind) {
    const std::uint64_t offset = linear & x86::page_offset_mask;
    if (offset + size > x86::page_size || mode_stale_ || !a20_open_) return false;
    const Doing work = doing(Activity::Memory);
    const PageTranslation* page = second_level_.find(linear);
    if (!page || !x86::permits(paging_, *page, access_of(view, kind))) return false;
    if (kind == AccessKind::Write && !page->dirty) return false;
    const std::uint64_t physical = page->physical +
                                   (linear & ((std::uint64_t{1} << page->shift) - 1));
    const PhysicalRange& range = range_of(physical);
    if (!range.memory) return false;
    fill(linear, view, *page, range, physical, blocks_.has_code(physical & ~x86::page_offset_mask));
    const x86::FastPage fast = (*pages(view))[x86::fast_index(linear)];
    if ((kind == AccessKind::Write ? fast.write_tag : fast.read_tag) != linear - offset)
        return false;
    // Otherwise it comes to `resolve`.
    count(Counter::TlbMisses);
    count(Counter::CompiledTranslations);
    return true;
}

bool Interpreter::gather(std::uint64_t linear, std::uint32_t size) {
    const auto first = static_cast<std::uint32_t>(x86::page_size -
                                                  (linear & x86::page_offset_mask));
    if (size <= first || size > transfer.size()) return false;
    const auto take = [&](std::uint64_t from, std::uint32_t bytes, std::uint8_t* to) {
        const std::uint64_t page = from & ~x86::page_offset_mask;
        const x86::FastPages& known = *pages(view);
        const std::size_t index = x86::fast_index(from);
        if (known.read_tags.of[index] != page && !refill(from, bytes, AccessKind::Read))
            return false;
        const auto* host = reinterpret_cast<const std::uint8_t*>(known.hosts.of[index]);
        std::memcpy(to, host + (from - page), bytes);
        return true;
    };
    const std::uint64_t second = linear + first;
    if (!state.code64() && second > 0xffff'ffff) return false;
    return take(linear, first, transfer.data()) &&
           take(second, size - first, transfer.data() + first);
}

void Interpreter::fill(std::uint64_t linear, View through, const PageTranslation& page,
                       const PhysicalRange& range, std::uint64_t physical, bool has_code) {
    if (through == View::UserAligned || watches_data(linear)) return;
    // Compiled code relies on it that what is aligned to the guest is aligned to the host.
    if (compiler_ &&
        reinterpret_cast<std::uint64_t>(range.host(physical & ~x86::page_offset_mask)) %
                sizeof(x86::VectorRegister) !=
            0)
        return;
    const std::uint64_t tag = linear & ~x86::page_offset_mask;
    const std::uint64_t start = physical & ~x86::page_offset_mask;
    if (start < range.start || start + x86::page_size - range.start > range.length) return;
    const auto may = [&](AccessKind kind) {
        return x86::permits(paging_, page, access_of(through, kind));
    };
    x86::FastPage fast{.read_tag = x86::no_page_tag_for(linear),
                       .write_tag = x86::no_page_tag_for(linear),
                       .host = reinterpret_cast<std::uint64_t>(range.host(start))};
    fast.addend = fast.host - tag;
    if (range.readable && may(AccessKind::Read)) fast.read_tag = tag;
    if (range.writable && page.dirty && !has_code && !is_foreign_code(start) &&
        may(AccessKind::Write))
        fast.write_tag = tag;
    tlb[static_cast<std::size_t>(through)].fill(linear, fast, page.global, page.shift);
}

std::optional<std::uint64_t> Interpreter::physical_address(std::uint64_t linear) {
    if (mode_stale_) refresh_mode();
    if (paging_.format == x86::PagingMode::Format::FourLevel && !is_canonical(linear))
        return std::nullopt;
    const auto page = x86::PageWalker{*this, paging_}.look_up(linear);
    if (!page) return std::nullopt;
    return gated(page->physical + (linear & ((std::uint64_t{1} << page->shift) - 1)));
}

// ---- Flushes ----

void Interpreter::flush_tlb() {
    constexpr std::uint64_t contexts_enabled = 1u << 17;  // CR4.PCIDE
    second_level_.flush();
    pcid_ = (state.cr4 & contexts_enabled) ? state.cr3 & 0xfff : 0;
    second_level_.select(pcid_);
    for (x86::FastTlb& level : tlb)
        level.flush();
    forget_recent();
    begin_generations();
    supervisor_code_not_global_ = false;
    code_page_filter_ = {};
    large_code_page_filter_ = {};
    mode_changed();
}

void Interpreter::flush_tlb_non_global() {
    second_level_.flush_non_global();
    drop_non_global();
    begin_generation(Privilege::User);
}

// The first level does not tell contexts apart. The second does, and the jump cache by generations.
void Interpreter::select_pcid(std::uint16_t pcid, bool keeps_entries) {
    const auto left = [this](std::uint16_t context) -> LeftContext& {
        return left_contexts_[context % left_contexts_.size()];
    };
    left(pcid_) = {generation_[static_cast<std::size_t>(Privilege::User)], pcid_};
    pcid_ = pcid;
    second_level_.select(pcid);
    if (!keeps_entries) second_level_.flush_non_global();
    drop_non_global();
    if (const LeftContext known = left(pcid);
        keeps_entries && known.generation != 0 && known.pcid == pcid)
        generation_[static_cast<std::size_t>(Privilege::User)] = known.generation;
    else
        begin_generation(Privilege::User);
}

void Interpreter::drop_non_global() {
    for (x86::FastTlb& level : tlb)
        level.flush_non_global();
    forget_recent();
    if (supervisor_code_not_global_) {
        begin_generation(Privilege::Supervisor);
        supervisor_code_not_global_ = false;
    }
    mode_changed();
}

void Interpreter::flush_tlb_page(std::uint64_t linear) {
    second_level_.flush_page(linear);
    for (std::size_t i = 0; i < recent.size(); ++i) {
        if (tlb[i].flush_page(linear))
            recent[i].forget();
        else
            recent[i].forget_page(linear & ~x86::page_offset_mask);
    }
    if (!may_have_code(linear)) return;
    begin_generations();
    code_page_filter_ = {};
    large_code_page_filter_ = {};
    mode_changed();
}

bool Interpreter::load_page_directory_pointers(std::uint64_t cr3) {
    std::array<std::uint64_t, 4> entries{};
    // SDM 3A 4.4.1: bits 2-1, 8-5 and those above the physical width are reserved.
    const std::uint64_t reserved = 0x1e6 |
                                   ~((std::uint64_t{1} << model_.physical_address_bits) - 1);
    for (unsigned i = 0; i < 4; ++i) {
        entries[i] = read_entry((cr3 & 0xffff'ffe0) + 8 * i, 8).value_or(0);
        if ((entries[i] & 1) && (entries[i] & reserved)) return false;
    }
    kept_.page_directory_pointers = entries;
    mode_changed();
    return true;
}

void Interpreter::physical_map_changed(std::uint64_t start, std::uint64_t length) {
    if (length == 0) return;
    ranges_ = {};
    a20_open_ = std::atomic_ref{kept_.a20};
    flush_tlb();
    blocks_.invalidate_pages(start, start + (length - 1));
    // The block's handlers are replaced anyway: nothing is left to restore.
    if (patched_op_ && !block->valid) patched_op_ = nullptr;
}

// ---- Devices ----

std::uint64_t Interpreter::read_bus(std::uint64_t physical, unsigned size) {
    const Doing work = doing(Activity::Device);
    const x86::HostFloatingPoint host;
    return bus_.read(physical, size);
}

int Interpreter::acknowledge_interrupt() {
    const Doing work = doing(Activity::Device);
    const x86::HostFloatingPoint host;
    return bus_.acknowledge_interrupt();
}

std::uint64_t Interpreter::device_read(const Op* op, std::uint64_t physical, unsigned size) {
    count(Counter::DeviceReads);
    if (is_in_compiled()) count(Counter::CompiledDeviceAccesses);
    access_op = op;
    const std::uint64_t value = read_bus(physical, size);
    access_op = nullptr;
    leave_after_access(op);
    return value;
}

void Interpreter::device_write(const Op* op, std::uint64_t physical, unsigned size,
                               std::uint64_t value) {
    count(Counter::DeviceWrites);
    if (is_in_compiled()) count(Counter::CompiledDeviceAccesses);
    access_op = op;
    {
        const Doing work = doing(Activity::Device);
        const x86::HostFloatingPoint host;
        bus_.write(physical, size, value);
    }
    access_op = nullptr;
    leave_after_access(op);
}

std::uint32_t Interpreter::port_read(const Op* op, std::uint16_t port, unsigned size) {
    count(Counter::PortReads);
    access_op = op;
    std::uint64_t value = 0;
    {
        const Doing work = doing(Activity::Device);
        const x86::HostFloatingPoint host;
        value = bus_.read_port(port, size);
    }
    access_op = nullptr;
    leave_after_access(op);
    debug_trap(op, breakpoints_.on_port(port, size));
    return static_cast<std::uint32_t>(value);
}

void Interpreter::port_write(const Op* op, std::uint16_t port, unsigned size, std::uint32_t value) {
    count(Counter::PortWrites);
    access_op = op;
    {
        const Doing work = doing(Activity::Device);
        const x86::HostFloatingPoint host;
        bus_.write_port(port, size, value);
    }
    access_op = nullptr;
    leave_after_access(op);
    debug_trap(op, breakpoints_.on_port(port, size));
}

// Reached with neither port breakpoints nor the trap flag: repeat_string sees to that.
std::uint32_t Interpreter::port_read_many(const Op* op, std::uint16_t port, unsigned size,
                                          std::span<std::byte> data) {
    access_op = op;
    std::uint32_t done = 0;
    {
        const Doing work = doing(Activity::Device);
        const x86::HostFloatingPoint host;
        done = bus_.read_port_many(port, size, data);
    }
    access_op = nullptr;
    if (done == 0) return 0;
    count(Counter::PortReads, done);
    leave_after_access(op);
    return done;
}

std::uint32_t Interpreter::port_write_many(const Op* op, std::uint16_t port, unsigned size,
                                           std::span<const std::byte> data) {
    access_op = op;
    std::uint32_t done = 0;
    {
        const Doing work = doing(Activity::Device);
        const x86::HostFloatingPoint host;
        done = bus_.write_port_many(port, size, data);
    }
    access_op = nullptr;
    if (done == 0) return 0;
    count(Counter::PortWrites, done);
    leave_after_access(op);
    return done;
}

}  // namespace backplane::interp
