// The registers of a CPU as GDB sees them: in which order, of which types, and from which of the
// engine's registers each is made.
//
// A CPU that can enter long mode is described as i386:x86-64 from its first instruction on,
// whatever mode it is in: GDB cannot change the architecture of a connection, and a kernel is
// followed from the reset vector to 64-bit code without a new one. Others are i386.
#pragma once

#include "runtime/virtual_cpu.h"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace backplane::runtime::gdb {

class RegisterLayout {
public:
    // By what the CPU has.
    explicit RegisterLayout(const VirtualCpu& cpu);

    [[nodiscard]] std::size_t size() const { return registers_.size(); }
    [[nodiscard]] bool is_64_bit() const { return is_64_bit_; }
    // For qXfer:features:read:target.xml.
    [[nodiscard]] std::string target_description() const;

    // In GDB's byte order and size; empty when there is no register of this number.
    [[nodiscard]] std::vector<std::byte> read(const VirtualCpu& cpu, std::size_t number) const;
    [[nodiscard]] std::size_t bytes(std::size_t number) const;
    [[nodiscard]] bool write(VirtualCpu& cpu, std::size_t number,
                             std::span<const std::byte> value) const;

private:
    struct Register {
        std::string name;      // GDB's
        unsigned bits;         // GDB's
        std::string type;      // GDB's
        std::string feature;   // the part of the description
        std::string source;    // the engine's
        std::size_t from = 0;  // the first byte of it that counts
        enum class Kind { Plain, ProgramCounter, Stack, Tags } kind = Kind::Plain;
        unsigned stack_index = 0;  // ST(i)
    };

    void add_core();
    void add_x87();
    void add_sse();
    void add_avx();
    void add_system(const VirtualCpu& cpu);
    void add(std::string_view feature, std::string name, unsigned bits, std::string type,
             std::string source);

    bool is_64_bit_;
    std::vector<Register> registers_;
};

}  // namespace backplane::runtime::gdb
