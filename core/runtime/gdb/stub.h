// GDB's side of a machine: answers the packets of the remote protocol (GDB manual, appendix E).
//
// All of it runs on the controller of the machine, with every CPU parked, so that registers and
// memory stand still while they are looked at. CPUs are threads, numbered from 1. Breakpoints of
// both kinds are those of the engine: guest memory is not modified, and there may be any number.
#pragma once

#include "runtime/gdb/register_layout.h"
#include "runtime/linear_memory.h"
#include "runtime/machine.h"
#include "runtime/state_event.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace backplane::runtime::gdb {

class Stub {
public:
    // `send` takes payloads for GDB. The machine has a CPU.
    Stub(Machine& machine, std::function<void(std::string)> send);

    // [controller] A packet from GDB.
    void handle(std::string_view packet);
    // [controller] The machine stopped, went on or ended.
    void changed(const StateEvent& event);
    // [controller] GDB went away: nothing of it stays behind. The machine goes on, or stands as it
    // did.
    void let_go();

private:
    // What to send; nothing: no answer, or one that comes later. An empty one says that the packet
    // is not known.
    using Reply = std::optional<std::string>;

    Reply answer(std::string_view packet);
    // stub_queries.cpp
    Reply query(std::string_view packet);
    Reply set(std::string_view packet);
    Reply supported(std::string_view theirs);
    Reply features(std::string_view request) const;
    Reply thread_extra_info(std::string_view id);
    // stub_registers.cpp
    Reply read_all_registers();
    Reply write_all_registers(std::string_view hex);
    Reply read_register(std::string_view number);
    Reply write_register(std::string_view assignment);
    // stub_memory.cpp
    Reply read_memory(std::string_view range);
    Reply write_memory(std::string_view request, bool is_binary);
    // stub_breakpoints.cpp
    Reply change_breakpoint(std::string_view request, bool insert);
    void remove_all_breakpoints();
    // stub_resume.cpp
    Reply why_stopped();
    Reply resume_as_told(std::string_view actions);
    Reply resume_one(std::string_view packet);
    struct Order {
        VirtualCpu::Mode mode = VirtualCpu::Mode::Hold;
        VirtualCpu::StepRange range{};
    };
    static std::optional<Order> order_of(std::string_view action);
    Reply resume(const std::vector<Order>& orders);
    Reply detach();
    Reply kill(bool is_confirmed);
    std::string stop_reply(const StateEvent& event);
    // stub_monitor.cpp
    Reply monitor(std::string_view hex);
    std::string monitor_text(std::string_view command);

    [[nodiscard]] std::size_t cpu_count() const { return machine_.cpus().size(); }
    [[nodiscard]] VirtualCpu& cpu(std::size_t index) const { return *machine_.cpus()[index]; }
    [[nodiscard]] VirtualCpu& selected() const { return cpu(selected_); }
    // The index of the CPU; any of them for 0, all for -1.
    struct ThreadId {
        bool is_all = false;
        std::size_t index = 0;
    };
    [[nodiscard]] std::optional<ThreadId> thread(std::string_view id) const;
    [[nodiscard]] std::string thread_id(std::size_t index) const;

    Machine& machine_;
    std::function<void(std::string)> send_;
    RegisterLayout layout_;
    std::size_t selected_ = 0;   // whose registers and memory: Hg
    std::size_t continued_ = 0;  // who steps: Hc
    bool awaits_stop_ = false;   // GDB takes the machine for running
    bool tells_breakpoints_ = false;
    bool physical_memory_ = false;
    std::uint64_t step_bits_;
    StateEvent last_stop_;

    // Type as in the packet ('0' for software), address, length.
    using Breakpoint = std::tuple<char, std::uint64_t, std::uint64_t>;
    std::set<Breakpoint> breakpoints_;
};

// The numbers behind E.
namespace error {
constexpr const char* bad_packet = "E16";   // EINVAL
constexpr const char* bad_address = "E0e";  // EFAULT
}  // namespace error

}  // namespace backplane::runtime::gdb
