// Any bytes as a kernel: the parser must refuse them or give parts that lie inside them. And as a
// script for tables, and settings.
// clang++ -fsanitize=fuzzer,address,undefined, with the sources of plugins/linux-boot.
#include "boot_protocol.h"
#include "kernel_image.h"
#include "linux-boot/firmware_files.h"
#include "pci_settings.h"
#include "table_loader.h"

#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <vector>

namespace {

// Reads each byte, so that the sanitizer sees where it lies.
unsigned sum(std::span<const std::byte> bytes) {
    unsigned sum = 0;
    for (const std::byte byte : bytes)
        sum += std::to_integer<unsigned>(byte);
    return sum;
}

// Whatever is planned lies in the memory that there is, and no two pieces overlap.
void check_other(std::span<const std::byte> file) {
    const backplane::linux_boot::Range low{0, 0x200000}, high{0x300000, 0x800000};
    const auto plan = backplane::linux_boot::plan_boot(
        file, {.kernel_name = "kernel",
               .command_line = "a",
               .modules = {{"module", std::vector<std::byte>(100)}},
               .ram = {low, high},
               .acpi_memory = {},
               .acpi_root_content = {}});
    if (!plan) return plan.error().empty() ? std::abort() : void();
    for (const auto& piece : plan->pieces) {
        if (piece.content.size() > piece.size ||
            !backplane::linux_boot::contains({low, high},
                                             {piece.address, piece.address + piece.size}))
            std::abort();
        if (sum(piece.content) == ~0u) std::abort();
    }
}

// Tables lie in memory that the map then keeps for them, or below, and do not overlap. The files
// are "0" to "3", so that a mutator finds their names.
void check_tables(std::span<const std::byte> script) {
    using namespace backplane::linux_boot;
    const std::vector<Range> ram{{0, 0xa0000}, {0x100000, 0x104000}, {0x200000, 0x210000}};
    testing::FirmwareFiles files;
    std::vector<std::byte> root(36);
    std::memcpy(root.data(), "RSD PTR ", 8);
    files.add("0", root);
    files.add("1", std::vector<std::byte>(500));
    files.add("2", std::vector<std::byte>(5000), true);
    files.add("3", {});
    std::vector<std::byte> whole = testing::allocate("0", 16, 2);
    whole.insert(whole.end(), script.begin(), script.end());
    whole.resize((whole.size() + 127) / 128 * 128);
    files.add("etc/table-loader", std::move(whole));
    const auto loaded = load_tables({backplane::Connection<backplane_firmware_files>{files.link()}},
                                    ram);
    if (!loaded) return loaded.error().empty() ? std::abort() : void();
    std::vector<Range> taken;
    for (const LoadedTable& table : loaded->tables) {
        const Range range{table.address, table.address + table.content.size()};
        if (!contains(loaded->memory, range) && !contains({extended_bios_data}, range) &&
            range.size() != 0)
            std::abort();
        for (const Range other : taken)
            if (range.start < other.end && other.start < range.end) std::abort();
        taken.push_back(range);
    }
    for (const Range range : loaded->memory)
        if (!contains(ram, range)) std::abort();
    if (loaded->root_pointer().size() < 20) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = std::as_bytes(std::span{data, size});
    check_tables(bytes);
    if (const auto settings = backplane::linux_boot::parse_pci_settings(
            {reinterpret_cast<const char*>(data), size});
        !settings && settings.error().empty())
        std::abort();
    if (!backplane::linux_boot::is_linux_image(bytes)) check_other(bytes);
    // And with a Multiboot header in front, whose sum is right.
    for (const std::uint32_t magic : {0x1badb002u, 0xe85250d6u}) {
        std::vector<std::byte> multiboot(16 + size);
        if (!bytes.empty()) std::memcpy(multiboot.data() + 16, bytes.data(), size);
        const std::uint32_t second = magic == 0x1badb002 && !bytes.empty() ? 0x10000 : 0;
        const auto length = static_cast<std::uint32_t>(multiboot.size());
        const std::uint32_t words[] = {
            magic, second, magic == 0x1badb002 ? 0 - magic - second : length, 0 - magic - length};
        std::memcpy(multiboot.data(), words, sizeof words);
        check_other(multiboot);
    }
    // Most inputs would fail at the first magic number: give them the two that a mutator does not
    // find soon.
    std::vector<std::byte> file(1024 + size);
    for (std::size_t i = 0; i < size; ++i)
        file[(0x1f1 + i) % file.size()] = std::byte{data[i]};
    constexpr std::array<std::uint8_t, 2> boot_flag{0x55, 0xaa};
    constexpr std::array<std::uint8_t, 4> signature{'H', 'd', 'r', 'S'};
    std::memcpy(file.data() + 0x1fe, boot_flag.data(), boot_flag.size());
    std::memcpy(file.data() + 0x202, signature.data(), signature.size());
    const auto image = backplane::linux_boot::KernelImage::parse(std::move(file));
    if (!image) return image.error().empty() ? (std::abort(), 0) : 0;
    if (image->memory_needed() < image->payload().size()) std::abort();
    return sum(image->setup_header()) == ~0u && sum(image->payload()) == ~0u;
}
