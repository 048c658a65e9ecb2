// What a snapshot of the processor keeps: every register, and what waits at its pins. Translations
// and decoded code are made anew.
#include "processor.h"

#include <string>

namespace backplane::interp {
namespace {

using x86::CpuState;

void declare_segment(Declaration<Processor>& d, const std::string& name, auto accessor) {
    d.saved(name + ".selector", [=](Processor& p) -> auto& { return accessor(p).selector; });
    d.saved(name + ".base", [=](Processor& p) -> auto& { return accessor(p).base; });
    d.saved(name + ".limit", [=](Processor& p) -> auto& { return accessor(p).limit; });
    if constexpr (requires(Processor& p) { accessor(p).attributes; })
        d.saved(name + ".attributes",
                [=](Processor& p) -> auto& { return accessor(p).attributes; });
}

}  // namespace

void Processor::declare_state(Declaration<Processor>& d) {
    const auto add = [&](std::string name, auto CpuState::* member) {
        d.saved(std::move(name),
                [member](Processor& p) -> auto& { return p.engine_->state.*member; });
    };
    add("gpr", &CpuState::gpr);
    add("rip", &CpuState::rip);
    // The arithmetic flags as the words they are computed from (x86/flags.h), the others as bits.
    add("rflags", &CpuState::rflags);
    const auto add_flag = [&](std::string name, auto x86::LazyFlags::* member) {
        d.saved(std::move(name),
                [member](Processor& p) -> auto& { return p.engine_->state.flags.*member; });
    };
    add_flag("flags.zero", &x86::LazyFlags::zero);
    add_flag("flags.sign", &x86::LazyFlags::sign);
    add_flag("flags.aux", &x86::LazyFlags::aux);
    add_flag("flags.carry", &x86::LazyFlags::carry);

    unsigned index = 0;
    for (const char* name : {"es", "cs", "ss", "ds", "fs", "gs"})
        declare_segment(
            d, name, [i = index++](Processor& p) -> auto& { return p.engine_->state.segments[i]; });
    declare_segment(d, "ldtr", [](Processor& p) -> auto& { return p.engine_->state.ldtr; });
    declare_segment(d, "tr", [](Processor& p) -> auto& { return p.engine_->state.tr; });
    const auto add_table = [&](const std::string& name, auto member) {
        d.saved(name + ".base",
                [=](Processor& p) -> auto& { return (p.engine_->state.*member).base; });
        d.saved(name + ".limit",
                [=](Processor& p) -> auto& { return (p.engine_->state.*member).limit; });
    };
    add_table("gdtr", &CpuState::gdtr);
    add_table("idtr", &CpuState::idtr);

    add("cpl", &CpuState::cpl);
    add("interrupt-shadow", &CpuState::interrupt_shadow);
    add("debug-shadow", &CpuState::debug_shadow);
    add("pending-debug", &CpuState::pending_debug);
    add("ignore-numeric-error", &CpuState::ignore_numeric_error);
    add("nmi-blocked", &CpuState::nmi_blocked);
    add("halted", &CpuState::halted);
    add("waiting-for-sipi", &CpuState::waiting_for_sipi);
    add("cr0", &CpuState::cr0);
    add("cr2", &CpuState::cr2);
    add("cr3", &CpuState::cr3);
    add("cr4", &CpuState::cr4);
    add("xcr0", &CpuState::xcr0);
    add("dr", &CpuState::dr);
    add("EFER", &CpuState::efer);
    add("STAR", &CpuState::star);
    add("LSTAR", &CpuState::lstar);
    add("CSTAR", &CpuState::cstar);
    add("SFMASK", &CpuState::sfmask);
    add("KERNEL_GS_BASE", &CpuState::kernel_gs_base);
    add("TSC_AUX", &CpuState::tsc_aux);
    add("SYSENTER_CS", &CpuState::sysenter_cs);
    add("SYSENTER_ESP", &CpuState::sysenter_esp);
    add("SYSENTER_EIP", &CpuState::sysenter_eip);
    add("PAT", &CpuState::pat);
    add("tsc-offset", &CpuState::tsc_offset);
    add("random", &CpuState::random);
    d.saved("initial-apic-id", &Processor::apic_id_);
    d.saved("tsc-deadline", [](Processor& p) -> auto& { return p.bus_.deadline_ticks; });
    std::size_t position = 0;
    for (const x86::MsrDescription& description : x86::MsrBank::table()) {
        const std::size_t at = position++;
        if (description.place || description.read) continue;
        d.saved(std::string{description.name},
                [at](Processor& p) -> auto& { return p.msrs_.values()[at]; });
    }

    for (unsigned i = 0; i < 8; ++i) {
        const std::string name = "R" + std::to_string(i);
        d.saved(name + ".significand", [i](Processor& p) -> auto& {
            return p.engine_->state.x87.registers[i].significand;
        });
        d.saved(name + ".sign-exponent", [i](Processor& p) -> auto& {
            return p.engine_->state.x87.registers[i].sign_exponent;
        });
    }
    const auto add_x87 = [&](std::string name, auto x86::X87State::* member) {
        d.saved(std::move(name),
                [member](Processor& p) -> auto& { return p.engine_->state.x87.*member; });
    };
    add_x87("FCW", &x86::X87State::control);
    add_x87("FSW", &x86::X87State::status);
    add_x87("FTW", &x86::X87State::valid);
    add_x87("FOP", &x86::X87State::last_opcode);
    add_x87("FIP", &x86::X87State::last_instruction);
    add_x87("FDP", &x86::X87State::last_data);
    add_x87("FCS", &x86::X87State::last_instruction_selector);
    add_x87("FDS", &x86::X87State::last_data_selector);
    add("MXCSR", &CpuState::mxcsr);
    for (unsigned i = 0; i < 16; ++i)
        d.saved("ymm" + std::to_string(i),
                [i](Processor& p) -> auto& { return p.engine_->state.vectors[i].bytes; });

    const auto add_kept = [&](std::string name, auto Interpreter::Kept::* member) {
        d.saved(std::move(name),
                [member](Processor& p) -> auto& { return p.engine_->kept().*member; });
    };
    add_kept("retired-instructions", &Interpreter::Kept::retired);
    add_kept("page-directory-pointers", &Interpreter::Kept::page_directory_pointers);
    add_kept("pending-nmi", &Interpreter::Kept::nmi);
    add_kept("a20", &Interpreter::Kept::a20);
    add_kept("pending-init", &Interpreter::Kept::init);
    add_kept("interrupt-request", &Interpreter::Kept::interrupt_request);
}

}  // namespace backplane::interp
