#include "runtime/control/register_commands.h"

#include "runtime/control/argument.h"
#include "runtime/control/argument_values.h"
#include "runtime/control/context.h"
#include "runtime/control/hex.h"
#include "runtime/nearest_name.h"
#include "runtime/printable_text.h"

#include <fmt/format.h>

#include <algorithm>

namespace backplane::runtime::control {

namespace {

// As backplane_cpu_register::group counts them, behind "all".
constexpr const char* groups[] = {"all",   "general", "segments", "control",
                                  "debug", "x87",     "vector",   "model-specific"};

constexpr backplane_property cpu_argument = text_argument("cpu", "Which; empty: the first CPU");

using Registers = std::vector<VirtualCpu::RegisterValue>;

std::unexpected<Error> unknown_register(const std::string& name, const VirtualCpu& cpu,
                                        const Registers& registers) {
    std::vector<std::string> names;
    for (const auto& each : registers)
        names.push_back(each.name);
    const std::string hint = did_you_mean(name, names);
    return refuse(ErrorKind::BadArgument,
                  fmt::format("{} has no register {}{}", cpu.component().name(), in_quotes(name),
                              hint.empty() ? "" : "; " + hint));
}

constexpr backplane_property read_arguments[] = {
    text_argument("register", "Its name in lower case: rax, cs.base, cr3; empty: all of `group`"),
    choice_argument("group", "Which, when no register is named", groups),
    cpu_argument,
};

constexpr ResultField registers_fields[] = {
    {"cpu", ResultKind::Text, "whose they are"},
    {"registers", ResultKind::HexMap, "each register's value, by name"},
    {"next_instruction", ResultKind::Text, "where the CPU is, and what is there"},
};

Answer read_registers(const Call& call) {
    const auto cpu = call.context.cpu(call.arguments.text("cpu"));
    if (!cpu) return std::unexpected{cpu.error()};
    Registers values;
    std::string next;
    const auto done = call.context.at_rest([&] {
        values = (*cpu)->registers();
        next = (*cpu)->next_instruction();
    });
    if (!done) return std::unexpected{done.error()};
    const std::string wanted = call.arguments.text("register");
    const std::string_view group = call.arguments.choice("group");
    auto registers = ordered_json::object();
    for (const auto& value : values)
        if (!wanted.empty() ? value.name == wanted
                            : group == "all" || (value.group + 1 < std::size(groups) &&
                                                 group == groups[value.group + 1]))
            registers[value.name] = hex_number(value.bytes);
    if (!wanted.empty() && registers.empty()) return unknown_register(wanted, **cpu, values);
    return ordered_json{{"cpu", (*cpu)->component().name()},
                        {"registers", std::move(registers)},
                        {"next_instruction", next}};
}

constexpr backplane_property write_arguments[] = {
    required(text_argument("register", "Its name in lower case")),
    required(text_argument("value", "The new value: decimal, or 0x with up to all its digits")),
    cpu_argument,
};

constexpr ResultField write_fields[] = {
    {"cpu", ResultKind::Text, "whose it is"},
    {"value", ResultKind::Hex, "what it is now"},
};

Answer write_register(const Call& call) {
    const auto cpu = call.context.cpu(call.arguments.text("cpu"));
    if (!cpu) return std::unexpected{cpu.error()};
    const std::string name = call.arguments.text("register");
    const std::string text = call.arguments.text("value");
    Registers before;
    if (const auto done = call.context.at_rest([&] { before = (*cpu)->registers(); }); !done)
        return std::unexpected{done.error()};
    const auto known = std::ranges::find(before, name, &VirtualCpu::RegisterValue::name);
    if (known == before.end()) return unknown_register(name, **cpu, before);
    const auto value = parse_number(text, known->bytes.size());
    if (!value) return refuse(ErrorKind::BadArgument, "write-register: value: " + value.error());
    bool possible = false;
    std::vector<std::byte> after;
    const auto done = call.context.change("write-register", [&] {
        possible = (*cpu)->set_register(name, *value);
        after = (*cpu)->get_register(name);
    });
    if (!done) return std::unexpected{done.error()};
    if (!possible)
        return refuse(ErrorKind::Failed, fmt::format("{} cannot be {}", name, hex_number(*value)));
    return ordered_json{{"cpu", (*cpu)->component().name()}, {"value", hex_number(after)}};
}

}  // namespace

constinit const Command read_registers_command{
    .name = "read-registers",
    .summary = "read a CPU's registers",
    .details = "",
    .arguments = read_arguments,
    .returns = registers_fields,
    .run = read_registers,
};

constinit const Command write_register_command{
    .name = "write-register",
    .summary = "write a register of a CPU",
    .details = "As a debugger does: nothing that the instruction set would do besides happens.",
    .effect = Effect::ChangesGuest,
    .arguments = write_arguments,
    .returns = write_fields,
    .run = write_register,
};

}  // namespace backplane::runtime::control
