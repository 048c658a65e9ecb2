// Flash memory behind the firmware: its code, or the store of its variables, kept in a host file.
#pragma once

#include "flash_chip.h"
#include "flash_file.h"

#include <backplane/sdk.h>

#include <filesystem>
#include <string>

namespace backplane::firmware {

class Pflash final : public Device {
public:
    static void declare(Declaration<Pflash>& d);

    Outcome start();
    void reset(ResetKind kind);
    void restored();
    void stop();

private:
    enum class Width : std::uint8_t { Bits8, Bits16 };

    std::uint32_t unit() const { return width_ == Width::Bits8 ? 1 : 2; }
    Outcome open();
    void place();
    // Whether what the guest changes goes into the file.
    bool is_kept() const { return !read_only_ && !path_.empty(); }
    void write_back();

    std::uint64_t read(std::uint64_t offset, std::uint32_t size);
    void write(std::uint64_t offset, std::uint32_t size, std::uint64_t value);

    std::filesystem::path path_, template_;
    bool read_only_ = false;
    std::uint64_t end_ = std::uint64_t{1} << 32;
    Bytes block_size_{4096};
    Width width_ = Width::Bits8;
    AddressSpace memory_;

    FlashFile file_;
    std::span<std::byte> array_;
    FlashChip chip_;
    // While the contents are to be seen they are read directly; else every access is a call.
    backplane_window array_window_{}, command_window_{};
    FlashChip::Mode placed_mode_ = FlashChip::Mode::Array;
    Placement placement_;
    bool has_failed_ = false;
    std::uint64_t written_blocks_ = 0, commands_ = 0;
};

}  // namespace backplane::firmware
