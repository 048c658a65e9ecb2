// A bzImage that was checked: its setup header, and the part that is loaded into memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace backplane::linux_boot {

class KernelImage {
public:
    // No kernel yet: to be assigned to before anything is asked of it.
    KernelImage() = default;
    // Refuses, with the reason, what neither boot protocol can start.
    static std::expected<KernelImage, std::string> parse(std::vector<std::byte> file);

    // Bytes that go to offset 0x1f1 of the zero page.
    std::span<const std::byte> setup_header() const;
    // What is loaded at the load address.
    std::span<const std::byte> payload() const;
    // Whether it can be entered in long mode; otherwise it is a kernel for 32-bit processors.
    bool has_entry_64() const;

    // boot.rst, "Details of Header Fields".
    bool is_relocatable() const;
    std::uint64_t preferred_address() const;
    std::uint64_t alignment() const;  // of a load address other than the preferred one
    std::uint64_t memory_needed()
        const;  // from the load address on, until the kernel has looked at the memory map
    std::uint64_t initrd_limit() const;        // highest address that a byte of the initrd may have
    std::uint64_t command_line_limit() const;  // bytes, without the final NUL

private:
    explicit KernelImage(std::vector<std::byte> file) : file_{std::move(file)} {}

    std::size_t payload_offset() const;

    std::vector<std::byte> file_;
};

}  // namespace backplane::linux_boot
