// `monitor COMMAND` in GDB: what the protocol has no packet for.
#include "runtime/gdb/hex.h"
#include "runtime/gdb/stub.h"
#include "runtime/program_counter.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace backplane::runtime::gdb {

namespace {

constexpr const char* help =
    "help                          this text\n"
    "info registers                all registers of the selected thread's processor\n"
    "info pc                       where it is: linear address, CS and offset, instruction\n"
    "disassemble [ADDRESS] [COUNT] code as it is in the processor's present mode; 10 instructions\n"
    "                              from $pc on by default, and the address in hexadecimal\n"
    "reset                         reset the machine; then `maintenance flush register-cache`\n"
    "\n"
    "In code with a segment base, such as that of real mode, $pc is the linear address, as those "
    "of\n"
    "breakpoints are, and $pc - $cs_base the offset.\n";

// Their text fits into one packet.
constexpr unsigned most_instructions = 100;
constexpr std::size_t longest_echo = 80;

std::string disassembly(const VirtualCpu& cpu, std::string_view arguments) {
    std::uint64_t address = program_counter(cpu);
    unsigned count = 10;
    std::string_view first = take_until(arguments, ' ');
    if (first.starts_with("0x")) first.remove_prefix(2);
    if (const auto given = number_from_hex(first)) address = *given;
    std::from_chars(arguments.data(), arguments.data() + arguments.size(), count);
    std::string text;
    for (unsigned i = 0; i < std::min(count, most_instructions); ++i) {
        const auto instruction = cpu.disassemble(address);
        text += fmt::format("{:#x}: {}\n", address, instruction.text);
        if (instruction.bytes == 0) break;
        address += instruction.bytes;
    }
    return text;
}

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
                           selected().disassemble(program_counter(selected())).text);
    constexpr std::string_view disassemble = "disassemble";
    if (command.starts_with(disassemble)) {
        command.remove_prefix(disassemble.size());
        if (command.starts_with(' ')) command.remove_prefix(1);
        return disassembly(selected(), command);
    }
    return fmt::format("unknown command '{}'; `monitor help` lists them\n",
                       command.substr(0, longest_echo));
}

}  // namespace backplane::runtime::gdb
