#include "pvh.h"

#include "kernel_entry.h"
#include "little_endian.h"
#include "protected_entry.h"

namespace backplane::linux_boot {

namespace {

constexpr std::uint32_t physical_entry_32 = 18;  // XEN_ELFNOTE_PHYS32_ENTRY
constexpr std::uint32_t start_magic = 0x336ec578, start_version = 1;
constexpr std::size_t start_info_size = 56, module_size = 32, memory_entry_size = 24;

// Text with its NUL, at the end of the information.
std::uint64_t add_text(std::vector<std::byte>& block, std::uint64_t base, const std::string& text) {
    const std::uint64_t address = base + block.size();
    const auto bytes = std::as_bytes(std::span{text.c_str(), text.size() + 1});
    block.insert(block.end(), bytes.begin(), bytes.end());
    return address;
}

}  // namespace

std::optional<std::uint64_t> pvh_entry(const ElfImage& image) {
    const auto note = image.note("Xen", physical_entry_32);
    if (!note) return std::nullopt;
    if (note->size() >= 8) return load<std::uint64_t>(*note, 0);
    if (note->size() >= 4) return load<std::uint32_t>(*note, 0);
    return std::nullopt;
}

PlannedBoot plan_pvh(const ElfImage& image, std::uint64_t entry, const BootRequest& request) {
    BootPlan plan;
    if (auto loaded = load_segments(plan, image, 0, request); !loaded)
        return std::unexpected(loaded.error());
    FreeMemory memory{request, plan, image.extent().end};

    std::vector<std::uint64_t> addresses;
    for (const BootModule& module : request.modules) {
        const auto place = memory.add(module.content, 4096);
        if (!place) return std::unexpected(no_room_for("module " + module.command_line, request));
        addresses.push_back(*place);
    }

    const auto map = e820_map(request.ram, request.acpi_memory);
    const std::size_t modules_at = start_info_size;
    const std::size_t map_at = modules_at + addresses.size() * module_size;
    std::size_t size = map_at + map.size() * memory_entry_size + boot_descriptors_size +
                       request.command_line.size() + 1;
    for (const BootModule& module : request.modules)
        size += module.command_line.size() + 1;
    const auto base = memory.reserve(size, 4096);
    if (!base) return std::unexpected(no_room_for("its start information", request));

    std::vector<std::byte> block(map_at + map.size() * memory_entry_size);
    for (std::size_t index = 0; index < addresses.size(); ++index) {
        const std::size_t at = modules_at + index * module_size;
        const BootModule& module = request.modules[index];
        store(std::span{block}, at, addresses[index]);
        store(std::span{block}, at + 8, std::uint64_t{module.content.size()});
        const std::uint64_t text = add_text(block, *base, module.command_line);
        store(std::span{block}, at + 16, text);
    }
    for (std::size_t index = 0; index < map.size(); ++index) {
        const std::size_t at = map_at + index * memory_entry_size;
        store(std::span{block}, at, map[index].range.start);
        store(std::span{block}, at + 8, map[index].range.size());
        store(std::span{block}, at + 16, static_cast<std::uint32_t>(map[index].kind));
    }
    const std::uint64_t command_line = add_text(block, *base, request.command_line);
    const std::span bytes{block};
    store(bytes, 0, start_magic);
    store(bytes, 4, start_version);
    store(bytes, 12, static_cast<std::uint32_t>(addresses.size()));
    store(bytes, 16, addresses.empty() ? std::uint64_t{0} : *base + modules_at);
    store(bytes, 24, command_line);
    store(bytes, 32, request.acpi_root);
    store(bytes, 40, *base + map_at);
    store(bytes, 48, static_cast<std::uint32_t>(map.size()));

    const std::uint64_t descriptors = *base + block.size();
    const auto table = boot_descriptors(EntryMode::Bits32);
    block.insert(block.end(), table.begin(), table.end());
    plan.pieces.push_back({*base, size, std::move(block)});
    plan.registers = protected_registers(entry, descriptors, {{"rbx", *base}});
    return plan;
}

}  // namespace backplane::linux_boot
