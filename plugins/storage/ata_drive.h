// What disks and CD-ROM drives have in common as ATA devices: one command at a time, a buffer,
// phases of data, requests to the image behind, power modes and transfer modes. The same drive goes
// to an IDE cable (backplane.ata/1) or to a SATA port (backplane.sata/1).
#pragma once

#include "ata_registers.h"
#include "identify_data.h"

#include <backplane/block.h>
#include <backplane/declaration.h>
#include <backplane/sata.h>

#include <array>
#include <cstdint>
#include <span>
#include <string>

namespace backplane::storage {

class AtaDrive : public Device {
public:
    static constexpr std::size_t buffer_size = 64 << 10;

    // backplane.ata/1
    void attach(const backplane_ata_host* host);
    void execute(const backplane_ata_command* command);
    void transferred();
    void reset_drive(std::uint32_t kind, backplane_ata_result* result);
    std::uint8_t* buffer(std::uint32_t* size);

    // backplane.sata/1
    void attach_serial(const backplane_sata_host* host);
    bool is_in_bay() const { return is_present(); }
    virtual void halt() {}

    void reset(ResetKind) { reset_all(BACKPLANE_ATA_RESET_HARDWARE); }
    void restored();
    void stop() { transfer_.cancel(image_); }

protected:
    enum class Power : std::uint8_t { Active, Idle, Standby, Sleep };
    // What is done to the image when nobody asks for more.
    enum class Io : std::uint8_t { None, Waiting, Submitted };

    ~AtaDrive() = default;

    // ---- What a kind of drive adds ----

    // Begins command(), whatever it is. Ends with begin_phase, complete, fail or start_io.
    virtual void begin_command() = 0;
    virtual void phase_done() = 0;
    // The result of start_io; returns that of the next one, or Pending when there is none.
    virtual BlockResult io_done(BlockResult result) = 0;
    // Back to the state after a hardware or software reset.
    virtual void reset_command(std::uint32_t kind) = 0;
    virtual std::uint64_t signature() const = 0;
    virtual bool is_present() const { return true; }
    // Of a SATA port.
    virtual void attached() {}
    // Before anything is done: true when the command has been answered, or will be, otherwise.
    virtual bool intercept_command() { return false; }
    // Between commands.
    virtual std::uint8_t idle_status() const = 0;

    // ---- For begin_command and those that follow ----

    const backplane_ata_command& command() const { return command_; }
    // Registers of the result so far; status and interrupt are filled in when it is sent.
    backplane_ata_result& result() { return result_; }

    // `interrupt`: the host is told that it may move the data.
    void begin_phase(std::uint32_t transfer, std::size_t offset, std::size_t length,
                     bool interrupt);
    void complete(bool interrupt = true);
    void fail(std::uint8_t error);
    // Ends a command as a reset does.
    void show_signature(bool interrupt);

    // Asks the image, after the drive's access time if this begins a command. Bytes are those of
    // the buffer from `place` on.
    void start_command_io(BlockOperation operation, std::uint64_t offset, std::uint64_t length,
                          std::size_t place = 0, std::uint32_t flags = 0);
    BlockResult start_io(BlockOperation operation, std::uint64_t offset, std::uint64_t length,
                         std::size_t place = 0, std::uint32_t flags = 0);
    // Goes on for as long as results are there at once.
    void run_io(BlockResult result);

    std::span<std::uint8_t> bytes() { return buffer_; }
    const BlockDevice& image() const { return image_; }
    bool is_serial() const { return serial_host_.borrow != nullptr; }
    const backplane_sata_host& serial_host() const { return serial_host_; }
    bool is_busy() const { return is_busy_; }
    std::uint64_t power_on_hours() const;
    void wake();  // the medium is being used

    // Commands that are the same for all. False: not one of them.
    bool run_power_command();
    // SET FEATURES 0x03; aborts what the drive does not have.
    void set_transfer_mode();

    // Words 63 and 88 of IDENTIFY: the modes there are, and the chosen one in the high byte.
    std::uint16_t multiword_modes() const {
        return static_cast<std::uint16_t>(7 | multiword_ << 8);
    }
    std::uint16_t ultra_modes() const { return static_cast<std::uint16_t>(0x3f | ultra_ << 8); }
    // The words that tell a parallel drive from a serial one.
    void identify_cable(IdentifyData& data) const;
    void reset_transfer_mode();

    std::string text_or_name(const std::string& text) const {
        return text.empty() ? std::string{name()} : text;
    }

    template <class T>
    static void declare_drive(Declaration<T>& d);

    Duration access_time_{0};
    std::string serial_;

private:
    void reset_all(std::uint32_t kind);
    backplane_ata_result signature_result() const;
    void submit_waiting();
    void io_arrived(BlockResult result);
    void start_standby_timer();
    void standby_expired() { power_ = Power::Standby; }

    BlockDevice image_;
    backplane_ata_host host_{};
    backplane_sata_host serial_host_{};
    BlockTransfer<&AtaDrive::io_arrived> transfer_;
    Timer access_timer_, standby_timer_;

    backplane_ata_command command_{};
    backplane_ata_result result_{};
    bool is_busy_ = false;
    Io io_ = Io::None;
    BlockOperation io_operation_{};
    std::uint64_t io_offset_ = 0, io_length_ = 0, io_place_ = 0;
    std::uint32_t io_flags_ = 0;
    Power power_ = Power::Active;
    std::uint8_t standby_period_ = 0;         // as written: 5 s, 30 min and odder units
    std::uint8_t multiword_ = 0, ultra_ = 0;  // a bit for the mode in use
    std::array<std::uint8_t, buffer_size> buffer_{};
};

template <class T>
void AtaDrive::declare_drive(Declaration<T>& d) {
    d.property("serial", static_cast<std::string T::*>(&AtaDrive::serial_),
               "Serial number, at most 20 characters; the device's name when empty");
    d.property("access-time", static_cast<Duration T::*>(&AtaDrive::access_time_),
               "Guest time from a command that uses the medium to its first data");
    static constexpr backplane_ata_drive functions{
        sizeof(backplane_ata_drive),
        0,
        [](void* object, const backplane_ata_host* host) noexcept {
            static_cast<T*>(object)->attach(host);
        },
        [](void* object, const backplane_ata_command* command) noexcept {
            static_cast<T*>(object)->execute(command);
        },
        [](void* object) noexcept { static_cast<T*>(object)->transferred(); },
        [](void* object, std::uint32_t kind, backplane_ata_result* result) noexcept {
            static_cast<T*>(object)->reset_drive(kind, result);
        },
        [](void* object, std::uint32_t* size) noexcept {
            return static_cast<T*>(object)->buffer(size);
        }};
    static constexpr backplane_sata_drive serial_functions{
        sizeof(backplane_sata_drive),
        0,
        &functions,
        [](void* object, const backplane_sata_host* host) noexcept {
            static_cast<T*>(object)->attach_serial(host);
        },
        [](void* object) noexcept -> std::int32_t { return static_cast<T*>(object)->is_in_bay(); },
        [](void* object) noexcept { static_cast<T*>(object)->halt(); }};
    d.connects(
        "image", [](T& drive) -> auto& { return drive.AtaDrive::image_; }, "What is on the medium");
    d.provides("ata", functions, "Place in an IDE channel");
    d.provides("sata", serial_functions, "Place at a SATA port");
    d.template timer<&AtaDrive::submit_waiting>("access", &AtaDrive::access_timer_);
    d.template timer<&AtaDrive::standby_expired>("standby", &AtaDrive::standby_timer_);

    d.saved("command", [](T& drive) -> auto& { return drive.AtaDrive::command_.command; });
    d.saved("command.device", [](T& drive) -> auto& { return drive.AtaDrive::command_.device; });
    d.saved("command.features",
            [](T& drive) -> auto& { return drive.AtaDrive::command_.features; });
    d.saved("command.count", [](T& drive) -> auto& { return drive.AtaDrive::command_.count; });
    d.saved("command.lba", [](T& drive) -> auto& { return drive.AtaDrive::command_.lba; });
    d.saved("result.error", [](T& drive) -> auto& { return drive.AtaDrive::result_.error; });
    d.saved("result.device", [](T& drive) -> auto& { return drive.AtaDrive::result_.device; });
    d.saved("result.count", [](T& drive) -> auto& { return drive.AtaDrive::result_.count; });
    d.saved("result.lba", [](T& drive) -> auto& { return drive.AtaDrive::result_.lba; });
    d.saved("busy", [](T& drive) -> auto& { return drive.AtaDrive::is_busy_; });
    d.saved("io", [](T& drive) -> auto& { return drive.AtaDrive::io_; });
    d.saved("io.operation", [](T& drive) -> auto& { return drive.AtaDrive::io_operation_; });
    d.saved("io.offset", [](T& drive) -> auto& { return drive.AtaDrive::io_offset_; });
    d.saved("io.length", [](T& drive) -> auto& { return drive.AtaDrive::io_length_; });
    d.saved("io.place", [](T& drive) -> auto& { return drive.AtaDrive::io_place_; });
    d.saved("io.flags", [](T& drive) -> auto& { return drive.AtaDrive::io_flags_; });
    d.saved("power", [](T& drive) -> auto& { return drive.AtaDrive::power_; });
    d.saved("standby-period", [](T& drive) -> auto& { return drive.AtaDrive::standby_period_; });
    d.saved("multiword-mode", [](T& drive) -> auto& { return drive.AtaDrive::multiword_; });
    d.saved("ultra-mode", [](T& drive) -> auto& { return drive.AtaDrive::ultra_; });
    d.saved("buffer", [](T& drive) -> auto& { return drive.AtaDrive::buffer_; });
}

}  // namespace backplane::storage
