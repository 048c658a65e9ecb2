// Hardware task switches: the registers go into the task-state segment of one task and come out of
// that of another (SDM 3A 8.3).
//
// The checks are made in the order of SDM 3A table 8-1. Until the registers are loaded a fault
// leaves everything as it was; then it belongs to the new task, before its first instruction.
#pragma once

#include "x86/breakpoints.h"
#include "x86/control_registers.h"
#include "x86/stack_frame.h"
#include "x86/task_state.h"

#include <array>

namespace backplane::x86 {

// What leads to a task: JMP, CALL, an interrupt or exception through a task gate, or IRET with NT.
enum class TaskEntry : std::uint8_t { Jump, Call, Event, Return };

// What is saved of the task that is left besides its registers; `external` is the EXT bit of error
// codes, `error_code` what the exception pushes on the new stack.
struct TaskDeparture {
    std::uint64_t ip = 0;
    std::uint64_t flags = 0;
    std::uint32_t external = 0;
    std::optional<std::uint32_t> error_code = {};
};

inline bool is_tss(const Descriptor& descriptor, bool busy) {
    using enum SystemType;
    if (!descriptor.is_system()) return false;
    const SystemType type = descriptor.system_type();
    return busy ? type == TssBusy || type == Tss16Busy
                : type == TssAvailable || type == Tss16Available;
}

// A TSS descriptor that `entry` may switch to; its privilege is checked by who has the selector.
template <class M>
std::optional<Descriptor> check_task(M& m, Selector selector, TaskEntry entry,
                                     std::uint32_t external = 0) {
    const bool returns = entry == TaskEntry::Return;
    const Fault refused = selector_fault(returns ? Vector::InvalidTss : Vector::GeneralProtection,
                                         selector, external);
    const auto refuse_with = [&](Fault fault) {
        m.raise(fault);
        return std::nullopt;
    };
    if (selector.is_null() || selector.is_local()) return refuse_with(refused);
    const auto tss = read_descriptor(m, selector, refused);
    if (!tss) return {};
    if (!is_tss(*tss, returns)) return refuse_with(refused);
    if (!tss->is_present())
        return refuse_with(selector_fault(Vector::SegmentNotPresent, selector, external));
    const TaskLayout& layout = task_layout(tss->attributes());
    if (tss->limit() < layout.last_byte)
        return refuse_with(selector_fault(Vector::InvalidTss, selector, external));
    return tss;
}

// The switch itself, to a TSS that check_task let pass.
template <class M>
class TaskSwitch {
public:
    TaskSwitch(M& m, Selector selector, const Descriptor& tss, TaskEntry entry,
               const TaskDeparture& departure)
        : m_{m}, state_{m.state()}, selector_{selector}, tss_{tss}, entry_{entry},
          departure_{departure}, layout_{task_layout(tss.attributes())} {}

    Outcome perform() {
        const SegmentRegister old = state_.tr;
        if (old.limit < task_layout(old.attributes).last_byte)
            return m_.raise(selector_fault(Vector::InvalidTss, {old.selector}, external()));
        if (!read_new_task() || !save_old_task() || !hand_over()) return Outcome::Fault;
        load_registers();
        m_.restart_at(image_.ip);
        m_.system().mode_changed();
        if (image_.trap) state_.pending_debug |= dr6::bt;
        if (!load_segments() || !push_error_code()) return Outcome::Fault;
        return m_.jump(image_.ip);
    }

private:
    struct Image {
        std::uint32_t cr3 = 0, ip = 0, flags = 0;
        std::array<std::uint32_t, 8> registers{};
        std::array<Selector, 6> segments{};  // a 16-bit TSS has no FS and GS: null
        Selector ldt;
        bool trap = false;
    };

    std::uint32_t external() const { return departure_.external; }
    bool nests() const { return entry_ == TaskEntry::Call || entry_ == TaskEntry::Event; }

    // ---- Before the point of no return ----

    bool read_word(std::uint64_t address, unsigned bytes, std::uint32_t& value) {
        if (bytes == 4) {
            const auto word = m_.template load_system<std::uint32_t>(linear(address));
            if (word) value = *word;
            return word.has_value();
        }
        const auto word = m_.template load_system<std::uint16_t>(linear(address));
        if (word) value = *word;
        return word.has_value();
    }

    bool write_word(std::uint64_t address, unsigned bytes, std::uint64_t value) {
        return bytes == 4 ? m_.store_system(linear(address), static_cast<std::uint32_t>(value))
                          : m_.store_system(linear(address), static_cast<std::uint16_t>(value));
    }

    static std::uint64_t linear(std::uint64_t address) { return address & 0xffff'ffff; }

    bool read_new_task() {
        const std::uint64_t base = tss_.base();
        const unsigned width = layout_.width;
        std::uint32_t selector = 0, trap = 0;
        if (!read_word(base + layout_.ip, width, image_.ip)) return false;
        if (!read_word(base + layout_.flags, width, image_.flags)) return false;
        for (unsigned i = 0; i < 8; ++i)
            if (!read_word(base + layout_.registers + i * width, width, image_.registers[i]))
                return false;
        for (unsigned i = 0; i < layout_.segment_count; ++i) {
            if (!read_word(base + layout_.segments + i * width, 2, selector)) return false;
            image_.segments[i] = {static_cast<std::uint16_t>(selector)};
        }
        if (!read_word(base + layout_.ldt, 2, selector)) return false;
        image_.ldt = {static_cast<std::uint16_t>(selector)};
        if (width == 2) return true;
        if (!read_word(base + tss32::cr3, 4, image_.cr3)) return false;
        if (!read_word(base + tss32::trap, 2, trap)) return false;
        image_.trap = trap & 1;
        return true;
    }

    // The LDT selector, CR3 and the stacks of inner levels are not saved (SDM 3A 8.2.1).
    bool save_old_task() {
        const SegmentRegister& tr = state_.tr;
        const TaskLayout& layout = task_layout(tr.attributes);
        const unsigned width = layout.width;
        std::uint64_t flags = departure_.flags;
        if (entry_ == TaskEntry::Return) flags &= ~rflags::nt;
        if (!write_word(tr.base + layout.ip, width, departure_.ip)) return false;
        if (!write_word(tr.base + layout.flags, width, flags)) return false;
        for (unsigned i = 0; i < 8; ++i)
            if (!write_word(tr.base + layout.registers + i * width, width, state_.gpr[i]))
                return false;
        for (unsigned i = 0; i < layout.segment_count; ++i)
            if (!write_word(tr.base + layout.segments + i * width, 2, state_.segments[i].selector))
                return false;
        return true;
    }

    // The back link, and the busy bits by locked accesses (SDM 3A table 8-2, 9.1.2.1).
    bool hand_over() {
        if (nests() && !write_word(tss_.base(), 2, state_.tr.selector)) return false;
        constexpr std::uint8_t busy = 2;
        if (entry_ != TaskEntry::Return) {
            tss_.low |= std::uint64_t{busy} << 40;
            if (!set_in_descriptor(m_, tss_, busy)) return false;
        }
        if (nests()) return true;
        const auto old = descriptor_address(state_, {state_.tr.selector});
        if (!old) return true;
        return m_
            .template update_system_atomically<std::uint8_t>(
                *old + 5,
                [=](std::uint8_t type) { return static_cast<std::uint8_t>(type & ~busy); })
            .has_value();
    }

    // ---- Behind it ----

    void load_registers() {
        state_.tr = tss_.loaded_as(selector_);
        state_.cr0 |= cr0::ts;
        constexpr std::uint64_t local_enables = 0x155;  // DR7.L0 to L3 and LE
        state_.dr[7] &= ~local_enables;
        std::uint64_t flags = image_.flags;
        if (nests()) flags |= rflags::nt;
        constexpr std::uint64_t existing = 0x003f7fd5;
        state_.set_full_rflags(flags & existing);
        for (unsigned i = 0; i < 8; ++i)
            state_.gpr[i] = image_.registers[i];
        for (unsigned i = 0; i < 6; ++i)
            state_.segments[i] = null_segment(image_.segments[i]);
        state_.ldtr = null_segment(image_.ldt);
        state_.cpl = (flags & rflags::vm) ? 3
                                          : static_cast<std::uint8_t>(image_.segments[CS].rpl());
        if (layout_.width == 4 && state_.paging()) {
            state_.cr3 = image_.cr3;
            m_.system().flush_tlb_non_global();
        }
    }

    bool refuse(Vector vector, Selector selector) {
        m_.raise(selector_fault(vector, selector, external()));
        return false;
    }

    bool load_segments() {
        if (layout_.width == 4 &&
            keeps_page_directory_pointers(state_.cr0, state_.cr4, state_.efer) &&
            !m_.system().load_page_directory_pointers(state_.cr3)) {
            m_.raise(general_protection(external()));
            return false;
        }
        if (state_.rflags & rflags::vm) return load_ldt() && load_virtual8086_segments();
        return load_protected_segments();
    }

    bool load_virtual8086_segments() {
        for (unsigned i = 0; i < 6; ++i)
            state_.segments[i] = real_mode_segment(state_, {}, image_.segments[i]);
        return true;
    }

    // Outside the table or of another type: empty with #TS raised.
    std::optional<Descriptor> find(Selector selector) {
        return read_descriptor(m_, selector,
                               selector_fault(Vector::InvalidTss, selector, external()));
    }

    std::optional<Descriptor> find_ldt() {
        const Selector selector = image_.ldt;
        if (selector.is_local()) {
            refuse(Vector::InvalidTss, selector);
            return {};
        }
        const auto ldt = find(selector);
        if (!ldt) return {};
        if (ldt->is_system() && ldt->system_type() == SystemType::Ldt) return ldt;
        refuse(Vector::InvalidTss, selector);
        return {};
    }

    bool take_ldt(const Descriptor& ldt) {
        if (!ldt.is_present()) return refuse(Vector::InvalidTss, image_.ldt);
        state_.ldtr = ldt.loaded_as(image_.ldt);
        return true;
    }

    bool load_ldt() {
        if (image_.ldt.is_null()) return true;
        const auto ldt = find_ldt();
        return ldt && take_ldt(*ldt);
    }

    bool load_protected_segments() {
        if (!load_ldt()) return false;
        const Selector code_selector = image_.segments[CS], stack_selector = image_.segments[SS];
        const unsigned cpl = code_selector.rpl();

        if (code_selector.is_null()) return refuse(Vector::InvalidTss, code_selector);
        auto code = find(code_selector);
        if (!code) return false;
        const bool privilege_fits = code->is_conforming() ? code->dpl() <= cpl : code->dpl() == cpl;
        if (!code->is_code() || !privilege_fits) return refuse(Vector::InvalidTss, code_selector);

        if (stack_selector.is_null()) return refuse(Vector::InvalidTss, stack_selector);
        auto stack = find(stack_selector);
        if (!stack) return false;
        if (!stack->is_writable_data()) return refuse(Vector::InvalidTss, stack_selector);
        if (!stack->is_present()) return refuse(Vector::StackFault, stack_selector);
        if (stack->dpl() != cpl) return refuse(Vector::InvalidTss, stack_selector);
        if (!code->is_present()) return refuse(Vector::SegmentNotPresent, code_selector);
        if (stack_selector.rpl() != cpl) return refuse(Vector::InvalidTss, stack_selector);
        if (!mark_accessed(m_, *code)) return false;
        state_.segments[CS] = code->loaded_as(code_selector);
        m_.system().mode_changed();
        if (!mark_accessed(m_, *stack)) return false;
        state_.segments[SS] = stack->loaded_as(stack_selector);
        for (const SegmentIndex index : {DS, ES, FS, GS})
            if (!load_data_segment(index, cpl)) return false;
        return true;
    }

    bool load_data_segment(SegmentIndex index, unsigned cpl) {
        const Selector selector = image_.segments[index];
        if (selector.is_null()) return true;
        auto descriptor = find(selector);
        if (!descriptor) return false;
        if (!descriptor->is_readable()) return refuse(Vector::InvalidTss, selector);
        if (!descriptor->is_present()) return refuse(Vector::SegmentNotPresent, selector);
        const bool privileged = selector.rpl() > descriptor->dpl() || cpl > descriptor->dpl();
        if (privileged && !descriptor->is_conforming()) return refuse(Vector::InvalidTss, selector);
        if (!mark_accessed(m_, *descriptor)) return false;
        state_.segments[index] = descriptor->loaded_as(selector);
        return true;
    }

    // In words of the new task's size, on its stack (SDM 3A 6.13).
    bool push_error_code() {
        if (!departure_.error_code) return true;
        const Fault violation{.vector = Vector::StackFault, .error_code = external()};
        TransferStack<M> stack{
            m_,       state_.segments[SS], state_.gpr[RSP], current_stack_width(state_), state_.cpl,
            violation};
        const bool pushed = layout_.width == 4
                                ? stack.template push<std::uint32_t>(*departure_.error_code)
                                : stack.template push<std::uint16_t>(*departure_.error_code);
        if (pushed) stack.commit();
        return pushed;
    }

    M& m_;
    CpuState& state_;
    Selector selector_;
    Descriptor tss_;
    TaskEntry entry_;
    TaskDeparture departure_;
    const TaskLayout& layout_;
    Image image_;
};

template <class M>
[[gnu::noinline]] Outcome switch_task(M& m, Selector selector, const Descriptor& tss,
                                      TaskEntry entry, const TaskDeparture& departure) {
    return TaskSwitch<M>{m, selector, tss, entry, departure}.perform();
}

// JMP and CALL to a TSS or to a task gate (SDM 2 JMP and CALL). `found` is what `selector` names.
template <class M>
Outcome jump_to_task(M& m, Selector selector, const Descriptor& found, TaskEntry entry) {
    const CpuState& state = m.state();
    const Fault refused = selector_fault(Vector::GeneralProtection, selector);
    if (found.dpl() < state.cpl || found.dpl() < selector.rpl()) return m.raise(refused);
    Selector target = selector;
    if (found.system_type() == SystemType::TaskGate) {
        if (!found.is_present())
            return m.raise(selector_fault(Vector::SegmentNotPresent, selector));
        target = found.gate_selector();
    }
    const auto tss = check_task(m, target, entry);
    if (!tss) return Outcome::Fault;
    return switch_task(m, target, *tss, entry, {.ip = m.next_ip(), .flags = state.full_rflags()});
}

// Whether a far transfer to this system descriptor switches tasks; never in IA-32e mode.
inline bool leads_to_task(const CpuState& state, const Descriptor& descriptor) {
    if (state.long_mode() || !descriptor.is_system()) return false;
    return descriptor.system_type() == SystemType::TaskGate || is_tss(descriptor, false) ||
           is_tss(descriptor, true);
}

// IRET with NT set: back to the task named by the link of the current one (SDM 3A 8.4).
template <class M>
Outcome return_to_task(M& m) {
    const CpuState& state = m.state();
    const auto link = m.template load_system<std::uint16_t>(state.tr.base);
    if (!link) return Outcome::Fault;
    const Selector selector{*link};
    const auto tss = check_task(m, selector, TaskEntry::Return);
    if (!tss) return Outcome::Fault;
    return switch_task(m, selector, *tss, TaskEntry::Return,
                       {.ip = m.next_ip(), .flags = state.full_rflags()});
}

}  // namespace backplane::x86
