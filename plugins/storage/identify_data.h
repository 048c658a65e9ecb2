// The 512 bytes of IDENTIFY DEVICE and IDENTIFY PACKET DEVICE, word by word.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace backplane::storage {

class IdentifyData {
public:
    std::uint16_t& operator[](std::size_t word) { return words_[word]; }

    void set32(std::size_t word, std::uint32_t value) {
        words_[word] = static_cast<std::uint16_t>(value);
        words_[word + 1] = static_cast<std::uint16_t>(value >> 16);
    }

    void set64(std::size_t word, std::uint64_t value) {
        set32(word, static_cast<std::uint32_t>(value));
        set32(word + 2, static_cast<std::uint32_t>(value >> 32));
    }

    // Two characters to a word, the first in its high byte, padded with blanks. What is not
    // printable ASCII becomes a blank. (ATA/ATAPI-7, 3.2.10)
    void set_text(std::size_t word, std::size_t count, std::string_view text) {
        const auto character = [&](std::size_t at) -> std::uint16_t {
            const char c = at < text.size() ? text[at] : ' ';
            return static_cast<std::uint16_t>(c >= 0x20 && c < 0x7f ? c : ' ');
        };
        for (std::size_t index = 0; index < count; ++index)
            words_[word + index] = static_cast<std::uint16_t>(character(index * 2) << 8 |
                                                              character(index * 2 + 1));
    }

    // Word 255 makes the sum of all bytes zero. (ATA/ATAPI-7, 6.16.58)
    void write_to(std::span<std::uint8_t> bytes) {
        words_[255] = 0x00a5;
        std::uint8_t sum = 0;
        for (std::size_t index = 0; index < 256; ++index) {
            bytes[index * 2] = static_cast<std::uint8_t>(words_[index]);
            bytes[index * 2 + 1] = static_cast<std::uint8_t>(words_[index] >> 8);
            sum = static_cast<std::uint8_t>(sum + bytes[index * 2] + bytes[index * 2 + 1]);
        }
        bytes[511] = static_cast<std::uint8_t>(-sum);
    }

private:
    std::array<std::uint16_t, 256> words_{};
};

}  // namespace backplane::storage
