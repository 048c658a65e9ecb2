#include "runtime/control/memory_commands.h"

#include "runtime/control/argument.h"
#include "runtime/control/argument_values.h"
#include "runtime/control/context.h"
#include "runtime/control/guest_bytes.h"
#include "runtime/control/hex.h"

#include <fmt/format.h>

namespace backplane::runtime::control {

namespace {

constexpr std::uint64_t most_bytes = 1 << 20;

constexpr const char* views[] = {"physical", "linear"};
constexpr const char* spaces[] = {memory_space, io_space};
constexpr const char* sizes[] = {"1", "2", "4", "8"};

constexpr backplane_property view_argument = choice_argument(
    "view", "Addresses as the bus sees them, or as programs on the CPU do now", views);
constexpr backplane_property cpu_argument = text_argument(
    "cpu", "Whose pages a linear address goes through; empty: the first CPU");
constexpr backplane_property address_argument = required(
    number_argument("address", "Of the first byte"));

std::expected<GuestBytes, Error> guest_bytes(const Call& call) {
    const auto cpu = call.context.cpu(call.arguments.text("cpu"));
    if (!cpu) return std::unexpected{cpu.error()};
    const bool is_linear = call.arguments.choice("view") == "linear";
    return GuestBytes{call.context.machine(), is_linear ? *cpu : nullptr};
}

constexpr backplane_property read_memory_arguments[] = {
    address_argument,
    number_argument("length", "Bytes to read", 16, 1, most_bytes),
    view_argument,
    cpu_argument,
};

constexpr ResultField memory_fields[] = {
    {"address", ResultKind::Hex, "of the first byte"},
    {"data", ResultKind::Bytes, "the bytes from there on"},
};

Answer read_memory(const Call& call) {
    auto memory = guest_bytes(call);
    if (!memory) return std::unexpected{memory.error()};
    const std::uint64_t address = call.arguments.number("address");
    std::expected<std::vector<std::byte>, Error> bytes;
    const auto done = call.context.at_rest(
        [&] { bytes = memory->read(address, call.arguments.number("length")); });
    if (!done) return std::unexpected{done.error()};
    if (!bytes) return std::unexpected{bytes.error()};
    return ordered_json{{"address", fmt::format("{:#x}", address)}, {"data", hex_text(*bytes)}};
}

constexpr backplane_property write_memory_arguments[] = {
    address_argument,
    required(text_argument("data", "The bytes, two hexadecimal digits each: 0f1f or '0f 1f'")),
    view_argument,
    cpu_argument,
};

constexpr ResultField written_fields[] = {
    {"written", ResultKind::Count, "bytes"},
};

Answer write_memory(const Call& call) {
    auto memory = guest_bytes(call);
    if (!memory) return std::unexpected{memory.error()};
    const auto bytes = parse_hex(call.arguments.text("data"));
    if (!bytes) return refuse(ErrorKind::BadArgument, "write-memory: data: " + bytes.error());
    if (bytes->empty())
        return refuse(ErrorKind::BadArgument, "write-memory: data: expected at least one byte");
    std::expected<void, Error> written;
    const auto done = call.context.change(
        "write-memory", [&] { written = memory->write(call.arguments.number("address"), *bytes); });
    if (!done) return std::unexpected{done.error()};
    if (!written) return std::unexpected{written.error()};
    return ordered_json{{"written", bytes->size()}};
}

constexpr backplane_property space_argument = choice_argument("space", "Which bus", spaces);
constexpr backplane_property size_argument = choice_argument("size", "Bytes of the access", sizes);

std::uint32_t size_of(const Call& call) {
    return static_cast<std::uint32_t>(call.arguments.choice("size")[0] - '0');
}

std::expected<AddressSpace*, Error> space_of(const Call& call) {
    const bool is_io = call.arguments.choice("space") == io_space;
    const std::uint64_t end = is_io ? io_space_size : memory_space_size;
    if (call.arguments.number("address") > end - size_of(call))
        return refuse(ErrorKind::BadArgument, fmt::format("address: {} ends at {:#x}",
                                                          call.arguments.choice("space"), end - 1));
    return is_io ? &call.context.machine().ports() : &call.context.machine().memory();
}

constexpr backplane_property read_bus_arguments[] = {address_argument, size_argument,
                                                     space_argument};

constexpr ResultField bus_value_fields[] = {
    {"value", ResultKind::Hex, "what answered; all ones where nobody does"},
};

Answer read_bus(const Call& call) {
    const auto space = space_of(call);
    if (!space) return std::unexpected{space.error()};
    std::uint64_t value = 0;
    const auto done = call.context.change("read-bus", [&] {
        value = (*space)->read(call.arguments.number("address"), size_of(call));
    });
    if (!done) return std::unexpected{done.error()};
    return ordered_json{{"value", fmt::format("{:#x}", value)}};
}

constexpr backplane_property write_bus_arguments[] = {
    address_argument, required(number_argument("value", "What to write")), size_argument,
    space_argument};

Answer write_bus(const Call& call) {
    const auto space = space_of(call);
    if (!space) return std::unexpected{space.error()};
    const std::uint32_t size = size_of(call);
    const std::uint64_t value = call.arguments.number("value");
    if (size < 8 && value >> size * 8 != 0)
        return refuse(
            ErrorKind::BadArgument,
            fmt::format("write-bus: value: {:#x} does not fit into {} byte(s)", value, size));
    const auto done = call.context.change(
        "write-bus", [&] { (*space)->write(call.arguments.number("address"), size, value); });
    if (!done) return std::unexpected{done.error()};
    return ordered_json::object();
}

constexpr backplane_property list_windows_arguments[] = {space_argument};

constexpr ResultField window_fields[] = {
    {"window", ResultKind::Text, "the device and its window"},
    {"base", ResultKind::Hex, "the first address"},
    {"size", ResultKind::Hex, "bytes"},
    {"priority", ResultKind::Any, "a whole number; where windows overlap the highest is seen"},
    {"answers", ResultKind::Text, "reads, writes or both; the rest reaches what lies beneath"},
    {"reads", ResultKind::Count, "accesses that called the device"},
    {"writes", ResultKind::Count, "likewise"},
};

constexpr ResultField windows_fields[] = {
    {"windows", ResultKind::List, "all that are mapped", Presence::Always, window_fields},
};

Answer list_windows(const Call& call) {
    Machine& machine = call.context.machine();
    const bool is_io = call.arguments.choice("space") == io_space;
    auto list = ordered_json::array();
    const auto done = call.context.at_rest([&] {
        for (const auto& mapping : (is_io ? machine.ports() : machine.memory()).mappings())
            list.push_back({{"window", mapping->owner},
                            {"base", fmt::format("{:#x}", mapping->base)},
                            {"size", fmt::format("{:#x}", mapping->size)},
                            {"priority", mapping->priority},
                            {"answers", !mapping->answers_writes  ? "reads"
                                        : !mapping->answers_reads ? "writes"
                                                                  : "both"},
                            {"reads", mapping->reads},
                            {"writes", mapping->writes}});
    });
    if (!done) return std::unexpected{done.error()};
    return ordered_json{{"windows", std::move(list)}};
}

}  // namespace

constinit const Command read_memory_command{
    .name = "read-memory",
    .summary = "read RAM or ROM",
    .details = "Nothing in the guest notices. Devices are refused: see `read-bus`.",
    .arguments = read_memory_arguments,
    .returns = memory_fields,
    .run = read_memory,
};

constinit const Command write_memory_command{
    .name = "write-memory",
    .summary = "write RAM",
    .details = "All of it, or nothing when some of it is not RAM.",
    .effect = Effect::ChangesGuest,
    .arguments = write_memory_arguments,
    .returns = written_fields,
    .run = write_memory,
};

constinit const Command read_bus_command{
    .name = "read-bus",
    .summary = "make a read access, as a processor does",
    .details = "Reading a device may change it.",
    .effect = Effect::ChangesGuest,
    .arguments = read_bus_arguments,
    .returns = bus_value_fields,
    .run = read_bus,
};

constinit const Command write_bus_command{
    .name = "write-bus",
    .summary = "make a write access, as a processor does",
    .details = "",
    .effect = Effect::ChangesGuest,
    .arguments = write_bus_arguments,
    .run = write_bus,
};

constinit const Command list_windows_command{
    .name = "list-windows",
    .summary = "what is mapped where on a bus",
    .details = "",
    .arguments = list_windows_arguments,
    .returns = windows_fields,
    .run = list_windows,
};

}  // namespace backplane::runtime::control
