// What every processor device declares, whatever its engine: ports, properties, statistics, and
// what a snapshot keeps: every register, and what waits at its pins. Translations and decoded code
// are made anew.
#pragma once

#include "interp/processor.h"

#include <backplane/thunk.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace backplane::interp {

template <class P>
void declare_segment(Declaration<P>& d, const std::string& name, auto accessor) {
    d.saved(name + ".selector", [=](Processor& p) -> auto& { return accessor(p).selector; });
    d.saved(name + ".base", [=](Processor& p) -> auto& { return accessor(p).base; });
    d.saved(name + ".limit", [=](Processor& p) -> auto& { return accessor(p).limit; });
    if constexpr (requires(Processor& p) { accessor(p).attributes; })
        d.saved(name + ".attributes",
                [=](Processor& p) -> auto& { return accessor(p).attributes; });
}

template <class P>
void declare_state(Declaration<P>& d) {
    const auto add = [&](std::string name, auto x86::CpuState::* member) {
        d.saved(std::move(name),
                [member](Processor& p) -> auto& { return p.engine_->state.*member; });
    };
    add("gpr", &x86::CpuState::gpr);
    add("rip", &x86::CpuState::rip);
    // The arithmetic flags as the words they are computed from (x86/flags.h), the others as bits.
    add("rflags", &x86::CpuState::rflags);
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
    add_table("gdtr", &x86::CpuState::gdtr);
    add_table("idtr", &x86::CpuState::idtr);

    add("cpl", &x86::CpuState::cpl);
    add("interrupt-shadow", &x86::CpuState::interrupt_shadow);
    add("debug-shadow", &x86::CpuState::debug_shadow);
    add("pending-debug", &x86::CpuState::pending_debug);
    add("ignore-numeric-error", &x86::CpuState::ignore_numeric_error);
    add("nmi-blocked", &x86::CpuState::nmi_blocked);
    add("halted", &x86::CpuState::halted);
    add("waiting-for-sipi", &x86::CpuState::waiting_for_sipi);
    add("cr0", &x86::CpuState::cr0);
    add("cr2", &x86::CpuState::cr2);
    add("cr3", &x86::CpuState::cr3);
    add("cr4", &x86::CpuState::cr4);
    add("xcr0", &x86::CpuState::xcr0);
    add("dr", &x86::CpuState::dr);
    add("EFER", &x86::CpuState::efer);
    add("STAR", &x86::CpuState::star);
    add("LSTAR", &x86::CpuState::lstar);
    add("CSTAR", &x86::CpuState::cstar);
    add("SFMASK", &x86::CpuState::sfmask);
    add("KERNEL_GS_BASE", &x86::CpuState::kernel_gs_base);
    add("TSC_AUX", &x86::CpuState::tsc_aux);
    add("SYSENTER_CS", &x86::CpuState::sysenter_cs);
    add("SYSENTER_ESP", &x86::CpuState::sysenter_esp);
    add("SYSENTER_EIP", &x86::CpuState::sysenter_eip);
    add("PAT", &x86::CpuState::pat);
    add("tsc-offset", &x86::CpuState::tsc_offset);
    add("random", &x86::CpuState::random);
    d.saved("initial-apic-id", static_cast<std::uint32_t P::*>(&Processor::apic_id_));
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
    add("MXCSR", &x86::CpuState::mxcsr);
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

template <class P>
void declare_statistics(Declaration<P>& d) {
    const auto count = [&](const char* name, Counter which, const char* unit, const char* doc) {
        d.counter(name, [which](Processor& p) { return p.counter(which); }, unit, doc);
    };
    count("instructions", Counter::Instructions, "instructions",
          "Retired; a REP instruction is one");
    count("rep_iterations", Counter::RepIterations, "iterations", "Of REP instructions");
    count("blocks_decoded", Counter::BlocksDecoded, "blocks", "Runs of instructions decoded");
    count("blocks_invalidated", Counter::BlocksInvalidated, "blocks",
          "Dropped because their code was written over");
    count("block_lookups", Counter::BlockLookups, "lookups",
          "Entries that neither a link nor the jump cache served");
    count("tlb_misses", Counter::TlbMisses, "accesses",
          "Data accesses that missed the first-level TLB");
    count("page_walks", Counter::PageWalks, "walks", "Misses of the second-level TLB");
    count("code_writes", Counter::CodeWrites, "writes", "Stores into pages that hold decoded code");
    count("device_reads", Counter::DeviceReads, "accesses", "Memory reads that left the processor");
    count("device_writes", Counter::DeviceWrites, "accesses",
          "Memory writes that left the processor");
    count("port_reads", Counter::PortReads, "accesses", "IN and INS");
    count("port_writes", Counter::PortWrites, "accesses", "OUT and OUTS");
    count("interrupts", Counter::Interrupts, "interrupts", "Delivered, NMI included");
    count("exceptions", Counter::Exceptions, "exceptions", "Faults and traps delivered");
    count("exits_budget", Counter::ExitsBudget, "exits",
          "Returns to the run loop at the end of a slice");
    count("exits_leave", Counter::ExitsLeave, "exits",
          "Instructions that change modes or mappings");
    count("exits_again", Counter::ExitsAgain, "exits", "In the middle of a REP instruction");
    count("exits_fault", Counter::ExitsFault, "exits", "For an exception");
    count("single_steps", Counter::SingleSteps, "instructions", "Executed one at a time");
    count("slices", Counter::Slices, "slices", "Entries into decoded code");

    using enum x86::Vector;
    const auto of_vector = [&](const char* name, x86::Vector vector, const char* doc) {
        count(name, exception_counter(static_cast<unsigned>(vector)), "exceptions", doc);
    };
    of_vector("exceptions_de", DivideError, "Divide errors");
    of_vector("exceptions_db", Debug, "Debug exceptions");
    of_vector("exceptions_br", BoundRange, "BOUND range exceeded");
    of_vector("exceptions_ud", InvalidOpcode, "Invalid opcodes");
    of_vector("exceptions_nm", DeviceNotAvailable, "x87 or SSE used while CR0.TS was set");
    of_vector("exceptions_ts", InvalidTss, "Invalid task-state segments");
    of_vector("exceptions_np", SegmentNotPresent, "Segments not present");
    of_vector("exceptions_ss", StackFault, "Stack faults");
    of_vector("exceptions_gp", GeneralProtection, "General protection faults");
    of_vector("exceptions_pf", PageFault, "Page faults");
    of_vector("exceptions_mf", FloatingPoint, "x87 floating-point errors");
    of_vector("exceptions_ac", AlignmentCheck, "Alignment checks");
    of_vector("exceptions_xm", SimdFloatingPoint, "SSE floating-point exceptions");
}

template <class P>
void declare_processor(Declaration<P>& d) {
    static constexpr backplane_cpu cpu{sizeof(backplane_cpu),
                                       0,
                                       thunk<&P::run>,
                                       thunk<&P::request_attention>,
                                       thunk<&P::instructions>,
                                       thunk<&P::register_count>,
                                       thunk<&P::register_info>,
                                       thunk<&P::get_register>,
                                       thunk<&P::set_register>,
                                       thunk<&P::translate>,
                                       thunk<&P::disassemble>,
                                       thunk<&P::insert_breakpoint>,
                                       thunk<&P::remove_breakpoint>,
                                       thunk<&P::hit_breakpoint>,
                                       thunk<&P::step>};

    static constexpr backplane_cpu_profile profile{
        sizeof(backplane_cpu_profile), 0,
        thunk<&P::attach_profiler>,    thunk<&P::detach_profiler>,
        thunk<&P::request_sample>,     thunk<&P::sample_every>,
        thunk<&P::read_memory>,        thunk<&P::count_blocks>,
        thunk<&P::take_block_counts>,  thunk<&P::component_name>};

    const auto of = []<class V>(V Processor::* member) { return static_cast<V P::*>(member); };
    d.property("model", of(&Processor::model_name_),
               "Processor model, with features added or taken away: x86-64-v1,-nx; models are "
               "x86-64-v1 to -v3, core2duo, pentium3, 486 and max");
    d.property("tsc-frequency", of(&Processor::tsc_frequency_), "Rate of the time-stamp counter")
        .range(Hertz{1'000'000}, Hertz{100'000'000'000});
    d.property("block-length", of(&Processor::block_length_),
               "Instructions decoded as one at most; with 1 nothing is fused, for comparisons")
        .range(1u, static_cast<std::uint32_t>(block_max_instructions));
    d.property("block-memory", of(&Processor::block_memory_),
               "Host memory for decoded code; what is not compiled goes when this is full")
        .range(Bytes{std::uint64_t{4} << 20}, Bytes{std::uint64_t{16} << 30});
    d.property("processors", of(&Processor::processor_count_),
               "Processors in the machine, as CPUID tells them")
        .range(1u, 255u);
    d.property("random-seed", of(&Processor::random_seed_),
               "Where the numbers of RDRAND and RDSEED start, besides the APIC ID; the same seed "
               "gives the same run");
    d.address_space(
        "memory", [](Processor& p) -> AddressSpace& { return p.bus_.memory; }, "Physical memory");
    d.address_space(
        "io", [](Processor& p) -> AddressSpace& { return p.bus_.io; }, "I/O ports", "io");
    d.connects(
        "interrupt-controller", [](Processor& p) -> auto& { return p.bus_.controller; },
        "8259 pair or local APIC that gives the vectors", Optional::Yes);
    d.publishes([](Processor& p) -> auto& { return p.events_.interrupts; });
    d.publishes([](Processor& p) -> auto& { return p.events_.returns; });
    d.publishes([](Processor& p) -> auto& { return p.events_.exceptions; });
    d.publishes([](Processor& p) -> auto& { return p.events_.halts; });
    d.provides("cpu", cpu, "Execution and registers");
    d.provides("profile", profile, "Samples and counts of what is executed");
    d.template line_input<&Processor::on_interrupt>("intr", "Maskable interrupt request");
    d.template line_input<&Processor::on_nmi>("nmi", "Non-maskable interrupt");
    d.template line_input<&Processor::on_a20>(
        "a20", "Address bit 20 is let through; also while nothing has driven this low");
    d.line_output("ferr", of(&Processor::ferr_),
                  "FERR#: an x87 error while CR0.NE is clear, for IRQ13");
    d.template line_input<&Processor::on_init>("init", "INIT, which starts the processor anew");
    d.template line_input<&Processor::on_startup>(
        "startup", "The local APIC has a STARTUP for a processor that waits for one");
    declare_statistics(d);
    declare_state(d);
}

}  // namespace backplane::interp
