// The SMBus host controller of Intel's south bridges, as a base of the devices that put it on their
// buses. (82371AB "PIIX4" datasheet 290562, 7.3; I/O Controller Hub 9 datasheet 316972, 19.2)
//
// The ICH9 has all that the PIIX4 has, and more: process calls, packet error codes, block transfers
// that software feeds byte by byte.
#pragma once

#include "smbus_transfer.h"

#include <backplane/sdk.h>

#include <array>
#include <span>
#include <string>

namespace backplane::chipset {

class SmbusHost : public Device {
public:
    enum class Model : std::uint8_t { Piix4, Ich9 };

    std::uint64_t read(std::uint64_t offset, unsigned size);
    void write(std::uint64_t offset, unsigned size, std::uint64_t value);
    void time_passed();

protected:
    explicit SmbusHost(Model model) : model_{model} {}
    ~SmbusHost() = default;

    void reset_host();
    virtual void set_interrupt(bool level) = 0;

    template <class T> static void declare_host(Declaration<T>& d);

private:
    // What a transfer under way is waiting for.
    enum class Phase : std::uint8_t { Idle, Byte, Software, End };

    void write_status(std::uint8_t value);
    void write_control(std::uint8_t value);
    std::uint8_t read_slave_side(std::uint64_t offset) const;
    void write_slave_side(std::uint64_t offset, std::uint8_t value);
    std::uint8_t& block_byte();

    bool uses_buffer() const;
    unsigned command() const;
    void begin();
    void transfer_data(unsigned bytes);
    void process_call();
    void write_block(bool then_read);
    void read_block();
    void begin_block();
    void begin_i2c_read();
    void next_byte();
    void end();
    void check_packet(bool was_read);
    void finish();
    void kill();
    void update();

    const Model model_;
    std::vector<Connection<backplane_smbus_device>> devices_;
    Timer timer_;

    std::uint8_t status_ = 0, control_ = 0, command_ = 0, address_ = 0;
    std::array<std::uint8_t, 2> data_{};
    std::array<std::uint8_t, 32> block_{};
    std::uint8_t block_index_ = 0;
    std::uint8_t packet_error_code_ = 0, auxiliary_status_ = 0, auxiliary_control_ = 0;
    std::array<std::uint8_t, 32> slave_side_{};  // registers of the other half, by offset

    SmbusTransfer transfer_{devices_};
    Phase phase_ = Phase::Idle;
    std::uint8_t bytes_left_ = 0;
    bool failed_ = false;  // the transfer, for another reason than a missing acknowledge
    std::uint64_t transfers_ = 0, refused_ = 0;
};

template <class T>
void SmbusHost::declare_host(Declaration<T>& d) {
    d.connects_all("devices", &SmbusHost::devices_, "What is on the bus");
    d.template timer<&SmbusHost::time_passed>("bus", &SmbusHost::timer_);
    d.counter("transfers", &SmbusHost::transfers_, "transfers", "Begun by software");
    d.counter("refused", &SmbusHost::refused_, "transfers", "That nobody acknowledged");
    d.saved("HST_STS", &SmbusHost::status_);
    d.saved("HST_CNT", &SmbusHost::control_);
    d.saved("HST_CMD", &SmbusHost::command_);
    d.saved("XMIT_SLVA", &SmbusHost::address_);
    d.saved("HST_D", &SmbusHost::data_);
    d.saved("block", &SmbusHost::block_);
    d.saved("block-index", &SmbusHost::block_index_);
    d.saved("PEC", &SmbusHost::packet_error_code_);
    d.saved("AUX_STS", &SmbusHost::auxiliary_status_);
    d.saved("AUX_CTL", &SmbusHost::auxiliary_control_);
    d.saved("slave-side", &SmbusHost::slave_side_);
    d.saved("phase", &SmbusHost::phase_);
    d.saved("bytes-left", &SmbusHost::bytes_left_);
    d.saved("failed", &SmbusHost::failed_);
    const auto save = [&d](const char* name, auto member) {
        d.saved(std::string{"transfer."} + name,
                [member](T& host) -> auto& { return host.SmbusHost::transfer_.*member; });
    };
    save("device", &SmbusTransfer::device);
    save("acknowledged", &SmbusTransfer::acknowledged);
    save("code", &SmbusTransfer::code);
    save("bytes", &SmbusTransfer::bytes);
}

}  // namespace backplane::chipset
