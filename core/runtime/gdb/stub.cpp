#include "runtime/gdb/stub.h"

#include "runtime/gdb/hex.h"
#include "runtime/gdb/step_bits.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace backplane::runtime::gdb {

Stub::Stub(Machine& machine, std::function<void(std::string)> send)
    : machine_{machine}, send_{std::move(send)}, layout_{*machine.cpus().front()},
      step_bits_{step_bits::enable | step_bits::no_interrupts} {}

void Stub::handle(std::string_view packet) {
    if (auto reply = answer(packet)) send_(std::move(*reply));
}

Stub::Reply Stub::answer(std::string_view packet) {
    if (packet.empty()) return "";
    const std::string_view rest = packet.substr(1);
    switch (packet.front()) {
    case '?': return why_stopped();
    case 'g': return read_all_registers();
    case 'G': return write_all_registers(rest);
    case 'p': return read_register(rest);
    case 'P': return write_register(rest);
    case 'm': return read_memory(rest);
    case 'M': return write_memory(rest, false);
    case 'X': return write_memory(rest, true);
    case 'Z': return change_breakpoint(rest, true);
    case 'z': return change_breakpoint(rest, false);
    case 'c':
    case 's':
    case 'C':
    case 'S': return resume_one(packet);
    case 'D': return detach();
    case 'k': return kill(false);
    case 'q': return query(packet);
    case 'Q': return set(packet);
    case 'T': return thread(rest) ? "OK" : error::bad_packet;
    case 'H': {
        if (rest.empty()) return error::bad_packet;
        const auto wanted = thread(rest.substr(1));
        if (!wanted) return error::bad_packet;
        (rest.front() == 'g' ? selected_ : continued_) = wanted->index;
        return "OK";
    }
    case 'v':
        if (packet == "vCont?") return "vCont;c;C;s;S;t;r";
        if (packet.starts_with("vCont;")) return resume_as_told(packet.substr(6));
        if (packet.starts_with("vKill")) return kill(true);
        return "";
    default: return "";
    }
}

std::optional<Stub::ThreadId> Stub::thread(std::string_view id) const {
    if (id == "-1") return ThreadId{.is_all = true, .index = 0};
    const auto number = number_from_hex(id);
    if (!number || *number > cpu_count()) return std::nullopt;
    return ThreadId{.index = *number == 0 ? selected_ : static_cast<std::size_t>(*number - 1)};
}

std::string Stub::thread_id(std::size_t index) const { return fmt::format("{:02x}", index + 1); }

void Stub::let_go() {
    remove_all_breakpoints();
    for (std::size_t index = 0; index < cpu_count(); ++index)
        cpu(index).set_mode(VirtualCpu::Mode::Run);
    machine_.control().pause_on_shutdown(false);
    awaits_stop_ = false;
}

}  // namespace backplane::runtime::gdb
