// An ELF kernel with one segment of code and data, a note and a section of symbols, to be spoilt by
// tests as they like.
#pragma once

#include "little_endian.h"

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace backplane::linux_boot::testing {

struct SyntheticElf {
    bool is_64 = false;
    std::uint64_t physical = 0x100000, virtual_address = 0xc0100000, entry = 0xc0100010;
    std::uint64_t memory_size = 0x3000;
    std::vector<std::byte> content = std::vector<std::byte>(0x1000, std::byte{0x5a});
    std::vector<std::byte> note;      // its description
    std::uint32_t note_type = 18;     // Xen's physical entry
    std::vector<std::byte> symbols;   // a section that is not loaded
    std::vector<std::byte> at_start;  // of the segment: a Multiboot header

    std::vector<std::byte> file() const {
        constexpr std::size_t segment_at = 0x1000;
        std::vector<std::byte> file(segment_at);
        const auto put = [&](std::size_t offset, auto value) {
            store(std::span{file}, offset, value);
        };
        const auto word = [&](std::size_t offset, std::uint64_t value) {
            is_64 ? put(offset, value) : put(offset, static_cast<std::uint32_t>(value));
        };
        const std::size_t note_at = 0x400, header = is_64 ? 64 : 52, entry_size = is_64 ? 56 : 32;
        put(0, std::uint32_t{0x464c457f});
        put(4, std::uint8_t{is_64 ? std::uint8_t{2} : std::uint8_t{1}});
        put(5, std::uint8_t{1});
        put(6, std::uint8_t{1});
        put(16, std::uint16_t{2});
        put(18, static_cast<std::uint16_t>(is_64 ? 62 : 3));
        word(24, entry);
        word(is_64 ? 32 : 28, header);
        const std::size_t counts = is_64 ? 54 : 42;
        put(counts, static_cast<std::uint16_t>(entry_size));
        put(counts + 2, std::uint16_t{2});

        const auto program_header = [&](std::size_t at, std::uint32_t type, std::uint64_t offset,
                                        std::uint64_t address, std::uint64_t load,
                                        std::uint64_t file_size, std::uint64_t size) {
            put(at, type);
            const std::size_t first = is_64 ? 8 : 4, step = is_64 ? 8 : 4;
            const std::uint64_t fields[] = {offset, address, load, file_size, size};
            for (std::size_t index = 0; index < 5; ++index)
                word(at + first + index * step, fields[index]);
        };
        program_header(header, 1, segment_at, virtual_address, physical, content.size(),
                       memory_size);
        program_header(header + entry_size, 4, note_at, 0, 0, note.empty() ? 0 : 16 + note.size(),
                       0);
        if (!note.empty()) {
            put(note_at, std::uint32_t{4});
            put(note_at + 4, static_cast<std::uint32_t>(note.size()));
            put(note_at + 8, note_type);
            put(note_at + 12, std::uint32_t{0x006e6558});  // "Xen"
            std::ranges::copy(note, file.begin() + note_at + 16);
        }
        file.insert(file.end(), content.begin(), content.end());
        std::ranges::copy(at_start, file.begin() + segment_at);
        if (!symbols.empty()) add_sections(file, counts);
        return file;
    }

private:
    void add_sections(std::vector<std::byte>& file, std::size_t counts) const {
        const std::size_t symbols_at = file.size(), size = is_64 ? 64 : 40;
        file.insert(file.end(), symbols.begin(), symbols.end());
        file.resize((file.size() + 15) / 16 * 16);
        const std::size_t table = file.size();
        file.resize(table + 2 * size);
        const auto put = [&](std::size_t offset, auto value) {
            store(std::span{file}, offset, value);
        };
        const auto word = [&](std::size_t offset, std::uint64_t value) {
            is_64 ? put(offset, value) : put(offset, static_cast<std::uint32_t>(value));
        };
        word(is_64 ? 40 : 32, table);
        put(counts + 4, static_cast<std::uint16_t>(size));
        put(counts + 6, std::uint16_t{2});
        put(counts + 8, std::uint16_t{1});
        put(table + size + 4, std::uint32_t{2});  // symbols
        word(table + size + (is_64 ? 24 : 16), symbols_at);
        word(table + size + (is_64 ? 32 : 20), symbols.size());
    }
};

}  // namespace backplane::linux_boot::testing
