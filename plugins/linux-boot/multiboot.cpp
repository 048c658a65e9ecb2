#include "multiboot.h"

#include "elf_image.h"
#include "kernel_entry.h"
#include "little_endian.h"
#include "multiboot_info.h"
#include "protected_entry.h"

#include <algorithm>

namespace backplane::linux_boot {

namespace {

// In EAX at the entry.
constexpr std::uint32_t loaded_by_one = 0x2badb002, loaded_by_two = 0x36d76289;
constexpr std::uint64_t page = 4096;
constexpr std::uint64_t unloaded_section_alignment = 16;

struct LoadedKernel {
    Range extent;
    std::uint64_t entry = 0;
};

// A kernel that can be moved goes where its limits and the memory allow.
std::expected<std::uint64_t, std::string> displacement(Range linked, const MultibootHeader& header,
                                                       const BootRequest& request) {
    if (check_room(linked, request) || !header.relocation) return 0;
    const auto& limits = *header.relocation;
    const std::uint64_t alignment = limits.alignment;
    if ((alignment & (alignment - 1)) != 0)
        return std::unexpected(std::string{"is damaged: its alignment is not a power of two"});
    const auto place = lowest_place(request.ram, linked.size(), alignment, limits.lowest);
    if (!place || *place + linked.size() - 1 > limits.highest)
        return std::unexpected(no_room_for("the kernel", request));
    return *place - linked.start;
}

std::expected<LoadedKernel, std::string> load_elf(BootPlan& plan, const ElfImage& image,
                                                  const MultibootHeader& header,
                                                  const BootRequest& request) {
    const Range linked = image.extent();
    const auto moved = displacement(linked, header, request);
    if (!moved) return std::unexpected(moved.error());
    if (auto loaded = load_segments(plan, image, *moved, request); !loaded)
        return std::unexpected(loaded.error());
    const std::uint64_t entry = header.entry ? *header.entry : image.physical_entry();
    return LoadedKernel{{linked.start + *moved, linked.end + *moved}, entry + *moved};
}

// 3.1.3 The address fields of Multiboot header.
std::expected<LoadedKernel, std::string> load_flat(BootPlan& plan, std::span<const std::byte> file,
                                                   const MultibootHeader& header,
                                                   const BootRequest& request) {
    const MultibootAddresses& at = *header.addresses;
    const std::unexpected damaged{
        std::string{"is damaged: the addresses in its Multiboot header contradict each other"}};
    if (!header.entry)
        return std::unexpected(std::string{"is damaged: its Multiboot header has no entry"});
    if (at.header < at.load || at.header - at.load > header.offset) return damaged;
    const std::size_t start = header.offset - (at.header - at.load);
    if (at.load_end != 0 && at.load_end < at.load) return damaged;
    const std::uint64_t size = at.load_end == 0 ? file.size() - start
                                                : std::uint64_t{at.load_end - at.load};
    if (size > file.size() - start)
        return std::unexpected(std::string{"is truncated: its Multiboot header tells of more"});
    const std::uint64_t end = std::max<std::uint64_t>(at.load + size, at.bss_end);
    const Range linked{at.load, end};
    const auto moved = displacement(linked, header, request);
    if (!moved) return std::unexpected(moved.error());
    const Range extent{linked.start + *moved, linked.end + *moved};
    if (auto room = check_room(extent, request); !room) return std::unexpected(room.error());
    const auto content = file.subspan(start, size);
    plan.pieces.push_back({extent.start, extent.size(), {content.begin(), content.end()}});
    return LoadedKernel{extent, *header.entry + *moved};
}

// 3.3, "syms": sections that are no part of a segment, such as symbols, go behind the kernel.
std::expected<void, std::string> load_sections(const ElfImage& image, FreeMemory& memory,
                                               MultibootFacts& facts, const BootRequest& request) {
    const auto headers = image.section_headers();
    facts.section_headers.assign(headers.begin(), headers.end());
    facts.section_header_size = image.section_header_size();
    facts.section_names = image.section_names();
    for (const ElfImage::Section& section : image.sections()) {
        if (section.is_loaded || section.content.empty()) continue;
        const auto place = memory.add({section.content.begin(), section.content.end()},
                                      unloaded_section_alignment);
        if (!place) return std::unexpected(no_room_for("its symbols", request));
        const std::size_t field = section.header + image.section_address_offset();
        if (image.is_64())
            store(std::span{facts.section_headers}, field, *place);
        else
            store(std::span{facts.section_headers}, field, static_cast<std::uint32_t>(*place));
    }
    return {};
}

std::expected<void, std::string> load_modules(FreeMemory& memory, MultibootFacts& facts,
                                              const BootRequest& request) {
    for (const BootModule& module : request.modules) {
        const auto place = memory.add(module.content, page);
        if (!place) return std::unexpected(no_room_for("module " + module.command_line, request));
        facts.modules.push_back({static_cast<std::uint32_t>(*place),
                                 static_cast<std::uint32_t>(*place + module.content.size()),
                                 module.command_line});
    }
    return {};
}

}  // namespace

PlannedBoot plan_multiboot(std::span<const std::byte> file, const MultibootHeader& header,
                           const BootRequest& request) {
    const bool is_two = header.version == MultibootVersion::Two;
    BootPlan plan;
    std::optional<ElfImage> elf;
    // Addresses in the header count even in an ELF file.
    if (!header.addresses) {
        if (!ElfImage::is_elf(file)) {
            return std::unexpected(
                std::string{"is neither an ELF file nor says where it is to be loaded"});
        }
        auto parsed = ElfImage::parse(file);
        if (!parsed) return std::unexpected(parsed.error());
        elf = std::move(*parsed);
    }
    const auto kernel = elf ? load_elf(plan, *elf, header, request)
                            : load_flat(plan, file, header, request);
    if (!kernel) return std::unexpected(kernel.error());

    FreeMemory memory{request, plan, kernel->extent.end};
    MultibootFacts facts{.command_line = request.kernel_name +
                                         (request.command_line.empty() ? "" : " ") +
                                         request.command_line,
                         .modules = {},
                         .map = e820_map(request.ram, request.acpi_memory),
                         .section_headers = {},
                         .has_screen = header.wants_screen,
                         .load_base = static_cast<std::uint32_t>(kernel->extent.start),
                         .acpi_root = request.acpi_root_content};
    // Modules come first: small kernels look for them right behind themselves.
    if (auto loaded = load_modules(memory, facts, request); !loaded)
        return std::unexpected(loaded.error());
    if (elf) {
        if (auto loaded = load_sections(*elf, memory, facts, request); !loaded)
            return std::unexpected(loaded.error());
    }
    const auto make = [&](std::uint64_t base) {
        return is_two ? multiboot_info_2(facts)
                      : multiboot_info_1(facts, static_cast<std::uint32_t>(base));
    };
    const auto base = memory.reserve(make(0).size(), page);
    const auto descriptors = memory.add(boot_descriptors(EntryMode::Bits32), 16);
    if (!base || !descriptors)
        return std::unexpected(no_room_for("the Multiboot information", request));
    auto info = make(*base);
    plan.pieces.push_back({*base, info.size(), std::move(info)});
    plan.registers = protected_registers(
        kernel->entry, *descriptors,
        {{"rax", is_two ? loaded_by_two : loaded_by_one}, {"rbx", *base}});
    return plan;
}

}  // namespace backplane::linux_boot
