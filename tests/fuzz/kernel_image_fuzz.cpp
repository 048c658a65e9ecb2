// Any bytes as a kernel: the parser must refuse them or give parts that lie inside them.
// clang++ -fsanitize=fuzzer,address,undefined, with the sources of plugins/linux-boot.
#include "boot_protocol.h"
#include "kernel_image.h"

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

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = std::as_bytes(std::span{data, size});
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
