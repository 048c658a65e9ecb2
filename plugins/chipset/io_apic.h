// An I/O APIC: 24 interrupt inputs that become messages to local APICs. (Intel 82093AA datasheet,
// order 290566-001)
#pragma once

#include <backplane/sdk.h>

#include <array>
#include <vector>

namespace backplane::chipset {

class IoApic final : public Device {
public:
    static void declare(Declaration<IoApic>& d);

    void reset(ResetKind);

    void end_of_interrupt(std::uint8_t vector);

private:
    static constexpr unsigned input_count = 24;

    std::uint64_t read(std::uint64_t offset, unsigned size);
    void write(std::uint64_t offset, unsigned size, std::uint64_t value);
    std::uint32_t read_register(std::uint8_t index) const;
    void write_register(std::uint8_t index, std::uint32_t value);
    void write_redirection(unsigned input, bool high_half, std::uint32_t value);
    void set_input(unsigned input, bool level);
    static bool is_level_triggered(std::uint64_t entry);
    void service_level(unsigned input);
    bool deliver(std::uint64_t entry);

    std::uint8_t initial_id_ = 0;
    std::vector<Connection<backplane_message_interrupt>> messages_;

    std::uint8_t ioregsel_ = 0;
    std::uint8_t id_ = 0;
    std::array<std::uint64_t, input_count> redirection_{};
    std::uint32_t inputs_ = 0;  // levels
    std::uint64_t sent_ = 0;
};

}  // namespace backplane::chipset
