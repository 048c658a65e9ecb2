// One processor as a device: the machine's side of every engine that has the interpreter as its
// lowest tier. A plugin derives its device type from it (processor_declaration.h).
#pragma once

#include "interp/cpu_events.h"
#include "interp/interpreter.h"
#include "interp/profile_probe.h"
#include "interp/system_bus.h"
#include "x86/cpu_model.h"
#include "x86/guest_floating_point.h"
#include "x86/msr.h"

#include <backplane/declaration.h>

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace backplane::interp {

// backplane_cpu_exit.
std::uint32_t exit_of(RunResult result);

class Processor : public Device {
public:
    virtual ~Processor() = default;

    Outcome start();
    void reset(ResetKind kind);
    void restored();

    // backplane.cpu/1
    std::uint32_t run(std::int64_t budget);
    void request_attention();
    std::uint64_t instructions();
    std::uint32_t register_count();
    const backplane_cpu_register* register_info(std::uint32_t index);
    void get_register(std::uint32_t index, void* value);
    std::int32_t set_register(std::uint32_t index, const void* value);
    std::int32_t translate(std::uint64_t linear, std::uint64_t* physical);
    std::uint32_t disassemble(std::uint64_t linear, char* text, std::uint32_t size);
    std::int32_t insert_breakpoint(const backplane_breakpoint* breakpoint);
    std::int32_t remove_breakpoint(const backplane_breakpoint* breakpoint);
    std::int32_t hit_breakpoint(backplane_breakpoint* breakpoint);
    std::uint32_t step(std::uint32_t flags);

    // backplane.cpu-profile/1
    std::int32_t attach_profiler(const backplane_cpu_profiler* profiler);
    void detach_profiler();
    std::int32_t request_sample();
    void sample_every(std::uint64_t instructions);
    std::uint64_t read_memory(std::uint64_t linear, void* data, std::uint64_t length);
    void count_blocks(std::int32_t on);
    void take_block_counts(void (*take)(void* user, const backplane_block_count* count),
                           void* user);
    const char* component_name() { return host().name; }

protected:
    // The tier above the interpreter, asked for when the processor is made.
    virtual std::unique_ptr<Compiler> make_compiler(const x86::CpuModel&) { return nullptr; }
    virtual std::uint32_t compile_threshold() const { return 0; }
    const Interpreter* engine() const { return engine_.get(); }
    // [any] As of the last slice.
    std::uint64_t counter(Counter which) const { return engine_ ? engine_->counters()[which] : 0; }

private:
    template <class P> friend void declare_processor(Declaration<P>& d);
    template <class P> friend void declare_statistics(Declaration<P>& d);
    template <class P> friend void declare_state(Declaration<P>& d);

    // The services that need the machine around the processor.
    class Engine final : public Interpreter {
    public:
        explicit Engine(Processor& processor)
            : Interpreter{{.bus = processor.bus_,
                           .model = processor.model_,
                           .block_arena_bytes = processor.block_memory_.value,
                           .block_instructions = processor.block_length_,
                           .compiler = processor.compiler_.get(),
                           .compile_threshold = processor.compile_threshold()}},
              processor_{processor} {}

        x86::MsrBank& msrs() override { return processor_.msrs_; }
        std::uint32_t apic_id() const override { return processor_.apic_id_; }
        std::uint32_t processor_count() const override { return processor_.processor_count_; }
        x86::LocalApicPort* local_apic() override {
            return processor_.bus_.has_local_apic() ? &processor_.bus_ : nullptr;
        }
        std::uint64_t tsc_ticks() override {
            return processor_.tsc_frequency_.ticks(processor_.now());  // nothing floats in there
        }
        void drive_ferr(bool level) override { processor_.ferr_.drive(level); }
        void observe_interrupt(std::uint8_t vector) override {
            processor_.events_.interrupt(processor_.host(), state, vector);
        }
        void observe_exception(const x86::Fault& found) override {
            processor_.events_.exception(processor_.host(), state, found);
        }
        void observe_halt(bool is_halted) override {
            processor_.events_.halt(processor_.host(), state, is_halted);
        }
        void observe_interrupt_return() override {
            processor_.events_.interrupt_return(processor_.host(), state);
        }
        void report_once(x86::Unknown kind, std::uint64_t number) override {
            const x86::HostFloatingPoint host;
            processor_.report_once(kind, number);
        }

    private:
        Processor& processor_;
    };

    void on_interrupt(bool level);
    void on_nmi(bool level);
    void on_a20(bool level);
    void on_init(bool level);
    void on_startup(bool level);
    void report_once(x86::Unknown kind, std::uint64_t number);

    // Properties.
    std::string model_name_ = "x86-64-v1";
    Hertz tsc_frequency_{1'000'000'000};
    Bytes block_memory_{std::uint64_t{256} << 20};
    std::uint32_t block_length_ = block_max_instructions;
    std::uint32_t processor_count_ = 1;
    std::uint64_t random_seed_ = 0;
    std::uint32_t apic_id_ = 0;

    Line ferr_;
    CpuEvents events_;
    SystemBus bus_;
    x86::CpuModel model_;
    std::vector<std::uint32_t> registers_;  // that the model has (register_file.h)
    x86::MsrBank msrs_;
    std::unique_ptr<Compiler> compiler_;
    std::unique_ptr<Engine> engine_;
    std::unique_ptr<ProfileProbe> probe_;  // null: nobody profiles
    std::set<std::pair<x86::Unknown, std::uint64_t>> reported_;
};

}  // namespace backplane::interp
