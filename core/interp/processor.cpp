#include "interp/processor.h"

#include "interp/register_file.h"
#include "x86/control_registers.h"
#include "x86/disassembler.h"
#include "x86/instruction_set.h"
#include "x86/reset_state.h"

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

Outcome Processor::start() {
    auto model = x86::make_cpu_model(model_name_);
    if (!model) return std::unexpected{"model: " + model.error()};
    model_ = std::move(*model);
    registers_ = register_file::indices_for(model_);
    compiler_ = make_compiler(model_);
    engine_ = std::make_unique<Engine>(*this);
    bus_.host = &host();
    bus_.tsc_frequency = tsc_frequency_;
    bus_.on_local_apic_moved = [this] { engine_->post_map_change(); };
    const backplane_address_space_listener listener{
        .struct_size = sizeof(backplane_address_space_listener),
        .reserved = 0,
        .remapped =
            [](void* user, std::uint64_t start, std::uint64_t length) {
                static_cast<Processor*>(user)->engine_->post_map_change(start, length);
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
