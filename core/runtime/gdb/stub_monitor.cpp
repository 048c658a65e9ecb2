// `monitor COMMAND` in GDB: what the protocol has no packet for.
#include "runtime/gdb/hex.h"
#include "runtime/gdb/program_counter.h"
#include "runtime/gdb/stub.h"

#include <fmt/format.h>

namespace backplane::runtime::gdb {

namespace {

constexpr const char* help =
    "help            this text\n"
    "info registers  all registers of the selected thread's processor, by their names here\n"
    "info pc         where it is: linear address, CS and offset, and the instruction\n"
    "reset           reset the machine; GDB still shows registers of before until the next step\n"
    "\n"
    "In code with a segment base, such as that of real mode, $pc is the linear address and\n"
    "$pc - $cs_base the offset. `set architecture i8086` makes GDB disassemble 16-bit code.\n";

}  // namespace

Stub::Reply Stub::monitor(std::string_view hex) {
    const auto command = bytes_from_hex(hex);
    if (!command) return error::bad_packet;
    return to_hex(monitor_text({reinterpret_cast<const char*>(command->data()), command->size()}));
}

std::string Stub::monitor_text(std::string_view command) {
    if (command == "help") return help;
    if (command == "reset") {
        machine_.request_reset("the debugger asked for it");
        return "The machine is being reset.\n";
    }
    if (command == "info registers") return selected().describe_state();
    if (command == "info pc")
        return fmt::format("{:#x} = {:04x}:{:x}: {}\n", program_counter(selected()),
                           number_of(selected(), "cs"), number_of(selected(), "rip"),
                           selected().disassemble(program_counter(selected())));
    return fmt::format("unknown command '{}'; `monitor help` lists them\n", command);
}

}  // namespace backplane::runtime::gdb
