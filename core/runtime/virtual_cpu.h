// A CPU component with the thread that drives it: slices of instructions, sleep while halted,
// parking when asked.
#pragma once

#include <backplane/abi/cpu.h>
#include <backplane/abi/device.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace backplane::runtime {

class Component;

// Whether components of this type are CPUs: one that provides backplane.cpu/1.
[[nodiscard]] bool is_cpu(const backplane_device_type& type);

class VirtualCpu {
public:
    VirtualCpu(Component& component, backplane_link link)
        : component_{component}, functions_{static_cast<const backplane_cpu*>(link.functions)},
          object_{link.object} {}

    [[nodiscard]] Component& component() const { return component_; }
    [[nodiscard]] backplane_cpu_exit run(std::int64_t budget) {
        return static_cast<backplane_cpu_exit>(functions_->run(object_, budget));
    }
    [[nodiscard]] std::uint64_t instructions() const { return functions_->instructions(object_); }

    // [any] Makes a running slice end at the next instruction boundary.
    void request_attention() { functions_->request_attention(object_); }

    // [any] Ends a sleep: an interrupt line changed, or the host wants something.
    void wake();
    // Call before looking for a reason to sleep; then sleep ends at once if wake came in between.
    void prepare_sleep() { woken_ = false; }
    void sleep() { woken_.wait(false); }

    // Deterministic machines: how far this CPU is in machine time, counted in instructions that it
    // has retired or had nothing to do for.
    [[nodiscard]] std::uint64_t position() const { return instructions() + idle_; }
    void idle_until(std::uint64_t position) {
        if (const std::uint64_t now = this->position(); now < position) idle_ += position - now;
    }

    // What the CPU does while the machine is not paused. Set with all CPUs parked; after a pause
    // each is Run again.
    enum class Mode : std::uint8_t {
        Run,
        Step,  // one instruction; then the machine is paused
        Hold,  // nothing: it stays parked
    };
    [[nodiscard]] Mode mode() const { return mode_; }
    void set_mode(Mode mode) { mode_ = mode; }

    // [any] Whether the last run ended with nothing but NMI, INIT or reset to wake it.
    [[nodiscard]] bool is_halted_for_good() const { return halted_for_good_; }
    void set_halted_for_good(bool value) { halted_for_good_ = value; }

    // [vcpu, outside run] In the engine's order; each with its bytes, the lowest first.
    struct RegisterValue {
        std::string name;
        std::vector<std::byte> bytes;
        std::uint32_t group = 0;  // as backplane_cpu_register says
    };
    [[nodiscard]] std::vector<RegisterValue> registers() const;
    // [vcpu, outside run] One register by its name; empty when the engine has none of this name.
    [[nodiscard]] std::vector<std::byte> get_register(std::string_view name) const;
    // [vcpu, outside run] False: no such register, another size, or an impossible value.
    bool set_register(std::string_view name, std::span<const std::byte> value);
    // [vcpu, outside run] The guest-physical address behind a linear one.
    [[nodiscard]] std::optional<std::uint64_t> translate(std::uint64_t linear) const;
    // [vcpu, outside run] "at 0xfff0: jmp 0x5b".
    [[nodiscard]] std::string next_instruction() const;

    // The registers by name, for the message about a guest that failed.
    [[nodiscard]] std::string describe_state() const;

private:
    [[nodiscard]] std::optional<std::uint32_t> find_register(std::string_view name) const;

    Component& component_;
    const backplane_cpu* functions_;
    void* object_;
    std::uint64_t idle_ = 0;
    Mode mode_ = Mode::Run;
    std::atomic<bool> woken_ = false;
    std::atomic<bool> halted_for_good_ = false;
};

}  // namespace backplane::runtime
