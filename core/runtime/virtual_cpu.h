// A CPU component with the thread that drives it: slices of instructions, sleep while halted,
// parking when asked.
#pragma once

#include <backplane/abi/cpu.h>
#include <backplane/abi/device.h>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
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
    void prepare_sleep();
    void sleep();

    // Deterministic machines: how far this CPU is in machine time, counted in instructions that it
    // has retired or had nothing to do for.
    [[nodiscard]] std::uint64_t position() const { return instructions() + idle_; }
    void idle_until(std::uint64_t position) {
        if (const std::uint64_t now = this->position(); now < position) idle_ += position - now;
    }

    // [vcpu, outside run] One instruction, as backplane_cpu says; engines that do not have it run
    // with a budget of 1.
    backplane_cpu_exit step(std::uint32_t flags);
    // The flags with which a CPU whose mode is Step does so.
    void set_step_flags(std::uint32_t flags) { step_flags_ = flags; }
    [[nodiscard]] std::uint32_t step_flags() const { return step_flags_; }

    // [vcpu, outside run] Breakpoints and watchpoints. False: the engine cannot set it, or it is
    // not set.
    struct Breakpoint {
        backplane_breakpoint_kind kind = BACKPLANE_BREAK_EXECUTE;
        std::uint64_t linear = 0;
        std::uint64_t length = 1;
        friend bool operator==(const Breakpoint&, const Breakpoint&) = default;
    };
    bool insert_breakpoint(const Breakpoint& breakpoint);
    bool remove_breakpoint(const Breakpoint& breakpoint);
    // The one that ended the last run or step.
    [[nodiscard]] std::optional<Breakpoint> hit_breakpoint() const;
    // A hit that could not be told, because the machine was about to pause for something else.
    void keep_untold(const Breakpoint& hit) { untold_ = hit; }
    // That one, if it is still set and nobody moved the CPU elsewhere.
    std::optional<Breakpoint> take_untold();

    // What the CPU does while the machine is not paused. Set with all CPUs parked; after a pause
    // each is Run again.
    enum class Mode : std::uint8_t {
        Run,
        Step,  // one instruction, or more within a range; then the machine is paused
        Hold,  // nothing: it stays parked
    };
    // Linear addresses, the last one not included.
    struct StepRange {
        std::uint64_t start, end;
    };
    [[nodiscard]] Mode mode() const { return mode_; }
    void set_mode(Mode mode, StepRange range = {}) {
        mode_ = mode;
        step_range_ = range;
    }
    // [vcpu, outside run] Whether a CPU that steps goes on: it is in its range, and there is no
    // breakpoint to be seen.
    [[nodiscard]] bool is_in_step_range() const;

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
    [[nodiscard]] bool has_register(std::string_view name) const {
        return find_register(name).has_value();
    }
    // [vcpu, outside run] The guest-physical address behind a linear one.
    [[nodiscard]] std::optional<std::uint64_t> translate(std::uint64_t linear) const;
    // [vcpu, outside run] The instruction at a linear address; without bytes when it is unreadable.
    struct Disassembly {
        std::string text = "(unreadable)";
        std::uint32_t bytes = 0;
    };
    [[nodiscard]] Disassembly disassemble(std::uint64_t linear) const;
    // [vcpu, outside run] "at 0xfffffff0 = f000:fff0: jmp 0xe05b"; without the CS and the offset
    // where they tell nothing more.
    [[nodiscard]] std::string next_instruction() const;

    // The registers by name, for the message about a guest that failed.
    [[nodiscard]] std::string describe_state() const;

private:
    [[nodiscard]] std::optional<std::uint32_t> find_register(std::string_view name) const;
    // Engines compiled for an older ABI end before the functions for debuggers.
    [[nodiscard]] bool has_debugger_support() const;

    Component& component_;
    const backplane_cpu* functions_;
    void* object_;
    std::uint64_t idle_ = 0;
    Mode mode_ = Mode::Run;
    StepRange step_range_{};
    std::uint32_t step_flags_ = 0;
    std::vector<Breakpoint> breakpoints_;
    std::optional<Breakpoint> untold_;
    // Not an atomic's wait, which offers the processor to others some times before it sleeps: on a
    // busy host they take it for longer than an interrupt may take.
    std::mutex sleep_mutex_;
    std::condition_variable wake_up_;
    bool woken_ = false;  // guarded by sleep_mutex_
    std::atomic<bool> halted_for_good_ = false;
};

}  // namespace backplane::runtime
