#include "processor.h"

#include "register_file.h"
#include "x86/control_registers.h"
#include "x86/disassembler.h"
#include "x86/instruction_set.h"
#include "x86/reset_state.h"

#include <backplane/thunk.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace backplane::interp {

std::uint32_t exit_of(RunResult result) {
    switch (result) {
    case RunResult::Budget: return BACKPLANE_CPU_BUDGET;
    case RunResult::Attention: return BACKPLANE_CPU_ATTENTION;
    case RunResult::Halted: return BACKPLANE_CPU_HALTED;
    case RunResult::HaltedForGood: return BACKPLANE_CPU_HALTED_FOR_GOOD;
    case RunResult::Breakpoint: return BACKPLANE_CPU_BREAKPOINT;
    case RunResult::Shutdown: break;
    }
    return BACKPLANE_CPU_SHUTDOWN;
}

void Processor::declare(Declaration<Processor>& d) {
    static constexpr backplane_cpu cpu{sizeof(backplane_cpu),
                                       0,
                                       thunk<&Processor::run>,
                                       thunk<&Processor::request_attention>,
                                       thunk<&Processor::instructions>,
                                       thunk<&Processor::register_count>,
                                       thunk<&Processor::register_info>,
                                       thunk<&Processor::get_register>,
                                       thunk<&Processor::set_register>,
                                       thunk<&Processor::translate>,
                                       thunk<&Processor::disassemble>,
                                       thunk<&Processor::insert_breakpoint>,
                                       thunk<&Processor::remove_breakpoint>,
                                       thunk<&Processor::hit_breakpoint>,
                                       thunk<&Processor::step>};

    d.type("cpu.interp", "Processor executed by the interpreter, the reference engine");
    d.property("model", &Processor::model_name_,
               "Processor model, with features added or taken away: x86-64-v1,-nx; models are "
               "x86-64-v1 to -v3, core2duo, pentium3, 486 and max");
    d.property("tsc-frequency", &Processor::tsc_frequency_, "Rate of the time-stamp counter")
        .range(Hertz{1'000'000}, Hertz{100'000'000'000});
    d.property("block-length", &Processor::block_length_,
               "Instructions decoded as one at most; with 1 nothing is fused, for comparisons")
        .range(1u, static_cast<std::uint32_t>(block_max_instructions));
    d.property("block-memory", &Processor::block_memory_,
               "Host memory for decoded code; it starts over when this is full")
        .range(Bytes{std::uint64_t{4} << 20}, Bytes{std::uint64_t{16} << 30});
    d.property("processors", &Processor::processor_count_,
               "Processors in the machine, as CPUID tells them")
        .range(1u, 255u);
    d.property("random-seed", &Processor::random_seed_,
               "Where the numbers of RDRAND and RDSEED start, besides the APIC ID; the same seed "
               "gives the same run");
    d.address_space(
        "memory", [](Processor& p) -> AddressSpace& { return p.bus_.memory; }, "Physical memory");
    d.address_space(
        "io", [](Processor& p) -> AddressSpace& { return p.bus_.io; }, "I/O ports", "io");
    d.connects(
        "interrupt-controller", [](Processor& p) -> auto& { return p.bus_.controller; },
        "8259 pair or local APIC that gives the vectors", Optional::Yes);
    d.provides("cpu", cpu, "Execution and registers");
    d.line_input<&Processor::on_interrupt>("intr", "Maskable interrupt request");
    d.line_input<&Processor::on_nmi>("nmi", "Non-maskable interrupt");
    d.line_input<&Processor::on_a20>(
        "a20", "Address bit 20 is let through; also while nothing has driven this low");
    d.line_output("ferr", &Processor::ferr_,
                  "FERR#: an x87 error while CR0.NE is clear, for IRQ13");
    d.line_input<&Processor::on_init>("init", "INIT, which starts the processor anew");
    d.line_input<&Processor::on_startup>(
        "startup", "The local APIC has a STARTUP for a processor that waits for one");
    declare_statistics(d);
    declare_state(d);
}

void Processor::declare_statistics(Declaration<Processor>& d) {
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
          "After instructions that change modes or mappings");
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

Outcome Processor::start() {
    auto model = x86::make_cpu_model(model_name_);
    if (!model) return std::unexpected{"model: " + model.error()};
    model_ = std::move(*model);
    registers_ = register_file::indices_for(model_);
    engine_ = std::make_unique<Engine>(*this);
    bus_.host = &host();
    bus_.tsc_frequency = tsc_frequency_;
    bus_.on_local_apic_moved = [this] { engine_->post_map_change(); };
    const backplane_address_space_listener listener{
        .struct_size = sizeof(backplane_address_space_listener),
        .reserved = 0,
        .remapped =
            [](void* user, std::uint64_t, std::uint64_t) {
                static_cast<Processor*>(user)->engine_->post_map_change();
            },
        .code_written =
            [](void* user, std::uint64_t start, std::uint64_t length) {
                static_cast<Processor*>(user)->engine_->post_code_written(start, length);
            },
        .user = this,
        .code_watched =
            [](void* user, std::uint64_t page, std::int32_t watch) {
                static_cast<Processor*>(user)->engine_->post_code_watched(page, watch != 0);
            }};
    bus_.memory.connection().call<&backplane_address_space::listen>(&listener);
    return {};
}

// All but one of several processors wait for a STARTUP (SDM 3A 9.4.3).
void Processor::reset(ResetKind kind) {
    x86::CpuState& state = engine_->state;
    const std::uint64_t random = state.random;
    apic_id_ = bus_.local_apic_id();
    state = x86::reset_state(model_);
    state.waiting_for_sipi = !bus_.is_boot_processor();
    // Only power-on starts the numbers again: a guest that was reset must not see the same ones.
    constexpr std::uint64_t apart = 0x9e3779b97f4a7c15;
    state.random = kind == ResetKind::PowerOn ? random_seed_ ^ (apart * (apic_id_ + 1)) : random;
    msrs_.reset();
    engine_->reset();
    bus_.find_local_apic_page();
    engine_->state_replaced();
}

void Processor::restored() {
    bus_.find_local_apic_page();
    engine_->physical_map_changed();
    engine_->state_replaced();
}

std::uint32_t Processor::run(std::int64_t budget) { return exit_of(engine_->run(budget)); }

void Processor::request_attention() { engine_->request_attention(); }
std::uint64_t Processor::instructions() { return engine_->instructions(); }
std::uint32_t Processor::register_count() { return static_cast<std::uint32_t>(registers_.size()); }
const backplane_cpu_register* Processor::register_info(std::uint32_t index) {
    return index < registers_.size() ? register_file::info(registers_[index]) : nullptr;
}
void Processor::get_register(std::uint32_t index, void* value) {
    register_file::get(engine_->state, registers_[index], value);
}

std::int32_t Processor::set_register(std::uint32_t index, const void* value) {
    if (index >= registers_.size() || !register_file::set(engine_->state, registers_[index], value))
        return 0;
    const x86::CpuState& state = engine_->state;
    if (x86::keeps_page_directory_pointers(state.cr0, state.cr4, state.efer))
        engine_->load_page_directory_pointers(state.cr3);
    engine_->state_replaced();
    return 1;
}

std::int32_t Processor::translate(std::uint64_t linear, std::uint64_t* physical) {
    const auto address = engine_->physical_address(linear);
    if (!address) return 0;
    *physical = *address;
    return 1;
}

std::uint32_t Processor::disassemble(std::uint64_t linear, char* text, std::uint32_t size) {
    std::array<std::byte, x86::Decoder::max_length> bytes;
    std::size_t length = 0;
    for (; length < bytes.size(); ++length) {
        const auto physical = engine_->physical_address(linear + length);
        if (!physical) break;
        bytes[length] = static_cast<std::byte>(bus_.read(*physical, 1));
    }
    x86::Instruction instruction;
    const x86::Decoder decoder{x86::decoder_features(model_)};
    const auto status = decoder.decode({bytes.data(), length}, engine_->code_size(), linear,
                                       instruction);
    if (status != x86::DecodeStatus::Complete || size == 0) return 0;
    const std::string line = x86::disassemble(instruction);
    const std::size_t kept = std::min<std::size_t>(line.size(), size - 1);
    std::memcpy(text, line.data(), kept);
    text[kept] = '\0';
    return instruction.decoded.length;
}

void Processor::on_interrupt(bool level) { engine_->set_interrupt_request(level); }

void Processor::on_nmi(bool level) {
    if (level) engine_->raise_nmi();
}

void Processor::on_a20(bool level) { engine_->set_a20(level); }

void Processor::on_init(bool level) {
    if (level) engine_->raise_init();
}

void Processor::on_startup(bool level) {
    if (level) engine_->notice_startup();
}

void Processor::report_once(x86::Unknown kind, std::uint64_t number) {
    if (!reported_.emplace(kind, number).second) return;
    switch (kind) {
    case x86::Unknown::MsrRead:
        return log(LogLevel::Warning, "guest read unknown MSR ", Hex{number});
    case x86::Unknown::MsrWrite:
        return log(LogLevel::Warning, "guest wrote unknown MSR ", Hex{number});
    case x86::Unknown::ControlBit:
        return log(LogLevel::Warning, "guest set unknown control register bits ", Hex{number});
    case x86::Unknown::Instruction:
        const char* name = ZydisMnemonicGetString(static_cast<ZydisMnemonic>(number));
        return log(LogLevel::Warning,
                   "guest code has an instruction this engine lacks: ", name ? name : "?");
    }
}

}  // namespace backplane::interp
