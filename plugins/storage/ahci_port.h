// A port of an AHCI host bus adapter: its registers, the link to a drive, the command list, and
// what it writes of received FISes. (Serial ATA AHCI 1.3.1, 3.3 and chapters 4 to 7)
//
// Commands go to the drive, and their data and results come back, as abi/ata.h and abi/sata.h say.
// A link here takes no time to come up.
#pragma once

#include "ahci_fis.h"
#include "ahci_regions.h"

#include <backplane/declaration.h>
#include <backplane/sata.h>

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace backplane::storage {

class AhciPort {
public:
    class Adapter {
    public:
        // PxIS or PxIE is another.
        virtual void port_interrupt_changed() = 0;

    protected:
        ~Adapter() = default;
    };

    AhciPort() = default;
    AhciPort(const AhciPort&) = delete;
    AhciPort& operator=(const AhciPort&) = delete;

    // Before the first reset, once everything is connected.
    void start(Adapter& adapter, AhciMemory& memory);
    // `keeps_addresses`: of the command list and the area for FISes, as GHC.HR does.
    enum class Addresses : bool { Forget, Keep };
    void reset(Addresses addresses);
    void restored();
    // What is lent comes back.
    void stop();

    std::uint32_t read(std::uint64_t offset) const;
    // `mask`: the bits that the access covers.
    void write(std::uint64_t offset, std::uint32_t value, std::uint32_t mask);
    bool has_interrupt() const { return (interrupts() & at(ahci::PxIE)) != 0; }
    // Goes on with what can be done; after the guest let the function be bus master, too.
    void run();

    Connection<backplane_sata_drive>& drive() { return drive_; }
    std::uint64_t commands() const { return commands_; }

    // `prefix` is put before the names of what is saved; `port` gives the AhciPort of a T.
    template <class T, class Accessor>
    static void declare_saved(Declaration<T>& d, const std::string& prefix, Accessor port);

private:
    static constexpr std::uint8_t no_slot = 0xff;

    // ahci_port.cpp: registers and link
    std::uint32_t& at(std::uint64_t offset) { return registers_[offset / 4]; }
    std::uint32_t at(std::uint64_t offset) const { return registers_[offset / 4]; }
    std::uint32_t interrupts() const;
    void raise(std::uint32_t interrupt);
    void error(std::uint32_t bits);
    void write_command(std::uint32_t value);
    void write_link_control(std::uint32_t value);
    void change_link_power(std::uint32_t wanted);
    void process_list();
    void stop_list();
    void reset_device();
    void link_up();
    void link_down();
    void presence_changed();
    void set_task_file(std::uint32_t status, std::uint32_t error_register);

    // ahci_port_commands.cpp
    bool is_processing() const;
    bool step();
    std::uint8_t next_slot() const;
    ahci::CommandHeader header(unsigned slot) const;
    AhciRegions& regions(unsigned tag, unsigned slot);
    void issue(std::uint8_t slot);
    void control(const ahci::RegisterToDevice& fis);
    void command(const ahci::RegisterToDevice& fis);
    void fail_link();
    void move_phase();
    std::size_t move_data(AhciRegions::Direction direction);
    bool take_packet();
    void finish_slot();
    void receive(std::uint64_t place, std::span<const std::uint8_t> fis) const;
    void receive_registers(const backplane_ata_result& result);

    // What the drive calls
    void phase_begins(const backplane_ata_phase& phase);
    void command_completes(const backplane_ata_result& result);
    bool lend(std::uint32_t tag, std::uint64_t offset, std::uint64_t length, bool to_host,
              backplane_sata_loan& loan);
    void take_back(std::uint32_t tag, std::uint64_t moved);
    void queue_done(std::uint32_t done, std::uint32_t status, std::uint32_t error_register);
    void attach();

    template <auto member>
    auto call_drive(auto... arguments) const {
        return (drive_->ata->*member)(drive_.object(), arguments...);
    }

    Adapter* adapter_ = nullptr;
    AhciMemory* memory_ = nullptr;
    Connection<backplane_sata_drive> drive_;
    std::span<std::uint8_t> buffer_;    // the drive's
    std::vector<AhciRegions> regions_;  // of each tag, and of the command that is not queued
    bool is_running_ = false, is_moving_ = false;

    std::array<std::uint32_t, ahci::port_size / 4> registers_{};
    bool is_present_ = false;       // a drive, and the link to it is up
    bool has_halted_ = false;       // since an error: ST has to be cleared
    bool signature_waits_ = false;  // for FRE
    bool is_in_reset_ = false;      // SRST
    backplane_ata_result signature_{};
    std::uint8_t current_ = no_slot;  // the command that is not done
    std::uint64_t transferred_ = 0;   // bytes of it
    backplane_ata_phase phase_{};     // transfer 0: none
    bool has_ended_ = false;          // the command, while is_moving_
    std::uint64_t commands_ = 0;
};

template <class T, class Accessor>
void AhciPort::declare_saved(Declaration<T>& d, const std::string& prefix, Accessor port) {
    d.saved(prefix + "registers", [=](T& t) -> auto& { return port(t).registers_; });
    d.saved(prefix + "present", [=](T& t) -> auto& { return port(t).is_present_; });
    d.saved(prefix + "halted", [=](T& t) -> auto& { return port(t).has_halted_; });
    d.saved(prefix + "signature-waits", [=](T& t) -> auto& { return port(t).signature_waits_; });
    d.saved(prefix + "soft-reset", [=](T& t) -> auto& { return port(t).is_in_reset_; });
    d.saved(prefix + "slot", [=](T& t) -> auto& { return port(t).current_; });
    d.saved(prefix + "transferred", [=](T& t) -> auto& { return port(t).transferred_; });
    d.saved(prefix + "phase", [=](T& t) -> auto& { return port(t).phase_.transfer; });
    d.saved(prefix + "phase.offset", [=](T& t) -> auto& { return port(t).phase_.offset; });
    d.saved(prefix + "phase.length", [=](T& t) -> auto& { return port(t).phase_.length; });
    const auto declare_result = [&](const std::string& name, auto result) {
        d.saved(prefix + name + ".status", [=](T& t) -> auto& { return result(t).status; });
        d.saved(prefix + name + ".error", [=](T& t) -> auto& { return result(t).error; });
        d.saved(prefix + name + ".device", [=](T& t) -> auto& { return result(t).device; });
        d.saved(prefix + name + ".interrupt", [=](T& t) -> auto& { return result(t).interrupt; });
        d.saved(prefix + name + ".count", [=](T& t) -> auto& { return result(t).count; });
        d.saved(prefix + name + ".lba", [=](T& t) -> auto& { return result(t).lba; });
    };
    declare_result("phase", [=](T& t) -> auto& { return port(t).phase_.result; });
    declare_result("signature", [=](T& t) -> auto& { return port(t).signature_; });
}

}  // namespace backplane::storage
