// An ELF file for x86 whose headers were checked: what of it is loaded where, and its notes.
// (System V ABI, chapters 4 and 5)
#pragma once

#include "memory_map.h"

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace backplane::linux_boot {

class ElfImage {
public:
    struct Segment {
        std::uint64_t physical, virtual_address;
        std::uint64_t memory_size;
        std::span<const std::byte> content;  // the rest is zeros
    };

    struct Section {
        std::size_t header;  // its offset in section_headers()
        std::span<const std::byte> content;
        bool is_loaded;  // as part of a segment
    };

    static bool is_elf(std::span<const std::byte> file);
    // `file` must live as long as the image. The error is a predicate.
    static std::expected<ElfImage, std::string> parse(std::span<const std::byte> file);

    bool is_64() const { return is_64_; }
    const std::vector<Segment>& segments() const { return segments_; }
    // From the lowest byte of memory it takes to the highest.
    Range extent() const;
    // Where the entry point lies in physical memory.
    std::uint64_t physical_entry() const;
    // The contents of the first such note.
    std::optional<std::span<const std::byte>> note(std::string_view owner,
                                                   std::uint32_t type) const;

    // The table as it is in the file; empty when there is none.
    std::span<const std::byte> section_headers() const { return section_headers_; }
    const std::vector<Section>& sections() const { return sections_; }
    std::uint32_t section_header_size() const { return section_header_size_; }
    std::uint32_t section_names() const { return section_names_; }
    // Where the address is in a section's header.
    std::size_t section_address_offset() const { return is_64_ ? 16 : 12; }

private:
    explicit ElfImage(std::span<const std::byte> file) : file_{file} {}

    std::uint64_t word(std::size_t offset) const;  // of the class's size
    std::expected<void, std::string> read_segments();
    void read_sections();

    std::span<const std::byte> file_;
    bool is_64_ = false;
    std::uint64_t entry_ = 0;
    std::vector<Segment> segments_;
    std::vector<std::span<const std::byte>> notes_;
    std::span<const std::byte> section_headers_;
    std::vector<Section> sections_;
    std::uint32_t section_header_size_ = 0, section_names_ = 0;
};

}  // namespace backplane::linux_boot
