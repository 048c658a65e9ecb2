// The floppy disk controller of PCs since 1989, which has the commands of the 8272A, a FIFO, and
// the registers of the AT and the PS/2. (Intel 82077AA datasheet 290166; Intel 8272A datasheet for
// the SCAN commands)
//
// Everything takes the time that it takes in a drive, in guest time: steps, turns of the disk, the
// bytes themselves. With `speed` all of that passes faster, but for transfers by the CPU: those
// keep the pace of the disk, as a CPU could not keep up with more.
//
// A command whose disk does not turn waits until it does, or for a reset: nothing tells the
// controller that there is none. (datasheet 8.1)
#pragma once

#include "fdc_command.h"
#include "floppy_track.h"

#include <backplane/floppy_drive.h>
#include <backplane/sdk.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace backplane::storage {

class Fdc82077 final : public Device {
public:
    static constexpr unsigned drives = 4;

    static void declare(Declaration<Fdc82077>& d);

    Outcome start();
    void reset(ResetKind);
    void restored();
    void stop() { cancel_io(); }

    // backplane.dma-channel/1, as its device
    std::uint32_t dma_transfer(std::uint32_t direction, std::uint8_t* data, std::uint32_t length);
    void terminal_count();

    // A place for a drive, and what the drive calls.
    struct Cable {
        void completed(std::int32_t result) { controller->io_completed(result); }
        void disk_changed() { controller->disk_changed(number); }

        Fdc82077* controller = nullptr;
        unsigned number = 0;
        Connection<backplane_floppy_drive> drive;
    };

private:
    static constexpr std::size_t largest_sector = 128 << 7, fifo_size = 16;
    static constexpr Duration immediately{10'000};  // for what takes no mechanical time

    // What happens at some time. When several are due at once the first of these comes first, also
    // after a restored state has started them anew.
    enum Alarm : std::uint8_t { Ready, Waited, Byte, Step };  // Step and above: of each drive
    static constexpr std::size_t alarms = Step + drives;
    static constexpr Duration off = Duration::max();
    static constexpr std::array<Duration, alarms> all_off = [] {
        std::array<Duration, alarms> all{};
        all.fill(off);
        return all;
    }();

    enum class Mode : std::uint8_t { At, Ps2, Model30 };
    enum class Phase : std::uint8_t { Command, Execution, Result };
    enum class SeekKind : std::uint8_t { Seek, Relative, Recalibrate };
    // What a command in its execution phase waits for.
    enum class Wait : std::uint8_t {
        None,
        Seek,      // the drive to arrive at the cylinder
        HeadLoad,  // the head to settle
        Disk,      // a disk that turns
        Index,     // the pulse at which a track begins
        Sector,    // the data field of the sector that was found
        Id,        // the end of the identification field
        NotFound,  // the second index pulse without what is looked for
        Data,      // the end of the data field
        TrackEnd,  // the pulse at which a track that is formatted ends
        Io,        // the drive
        Host       // the host to empty the FIFO
    };
    enum class Io : std::uint8_t { None, Read, Write, Format, Flush };

    void set_alarm(unsigned alarm, Duration when);
    void set_alarm_after(unsigned alarm, Duration span) { set_alarm(alarm, now() + span); }
    void stop_alarm(unsigned alarm) { set_alarm(alarm, off); }
    void alarm_due();

    // fdc82077_registers.cpp
    std::uint64_t read(std::uint64_t offset, unsigned size);
    void write(std::uint64_t offset, unsigned size, std::uint64_t value);
    std::uint64_t read_dir(std::uint64_t offset, unsigned size);
    void write_ccr(std::uint64_t offset, unsigned size, std::uint64_t value);
    std::uint8_t status_a();
    std::uint8_t status_b() const;
    std::uint8_t main_status() const;
    void write_dor(std::uint8_t value);
    void write_dsr(std::uint8_t value);
    std::uint8_t read_fifo();
    void write_fifo(std::uint8_t value);
    bool gate_is_open() const;
    void drive_interrupt();
    void drive_dma_request();
    void software_reset();
    void begin_ready();
    void became_ready();

    // fdc82077_commands.cpp
    void execute();
    void reply(std::initializer_list<std::uint8_t> bytes);
    void enter_result();
    void configure();
    void sense_interrupt();
    void sense_drive();
    void dump_registers();
    void set_perpendicular();

    // fdc82077_seek.cpp
    unsigned unit() const { return command_[1] & 3u; }
    void begin_seek(SeekKind kind, unsigned steps, bool inwards);
    void step(unsigned which);
    void end_seek(unsigned which, std::uint8_t status);
    Duration step_time() const;
    Duration head_load_time() const;
    Duration head_unload_time() const;

    // fdc82077_disk.cpp: the disk that turns
    Cable* selected();
    backplane_floppy_state drive_state();
    bool disk_turns();
    backplane_floppy_track track_under_head();
    backplane_floppy_track track_to_write() const;
    std::uint32_t bit_rate() const;
    bool is_mfm() const { return (command_[0] & fdc_option::mfm) != 0; }
    FloppyTrackLayout layout(const backplane_floppy_track& track);
    Duration faster(Duration real) const { return real / static_cast<std::int64_t>(speed_); }
    Duration turn_time() { return std::max(faster(real_turn_time()), Duration{1}); }
    Duration real_turn_time();
    Duration turn_begin();
    void wait_until(Wait what, Duration when);
    void look();
    void look_for_sector();
    void look_for_any_id();
    void disk_changed(unsigned number);

    // fdc82077_transfer.cpp: commands that use the disk
    void begin_disk_command();
    void go_to_cylinder();
    void arrived_at_cylinder();
    void waited();
    void sector_passes();
    void data_ended();
    void compare();
    void sector_done();
    bool advance();
    void next_sector();
    void begin_track();
    void format_next();
    void finish(std::uint8_t interrupt_code);
    void fail(std::uint8_t st1, std::uint8_t st2 = 0);
    void finish_now();
    void start_io(Io what);
    void io_completed(std::int32_t result);
    void io_done(Io what, std::int32_t result);
    void cancel_io();

    // fdc82077_data.cpp: bytes between the host and the buffer
    bool by_dma() const { return (specify_[1] & 1) == 0; }
    std::uint32_t sector_bytes() const;
    void expect_data(std::uint32_t bytes, std::uint32_t offset = 0);
    void begin_data();
    void byte_passes();
    void update_fifo_request();
    std::size_t fifo_capacity() const;
    std::size_t fifo_threshold() const;
    void push(std::uint8_t value);
    std::uint8_t pop();
    void end_data();

    Mode mode_ = Mode::At;
    std::uint32_t speed_ = 1;
    std::array<Cable, drives> cables_{};
    Connection<backplane_dma_channel> dma_;
    Line irq_;
    Timer timer_;
    std::array<Duration, alarms> due_ = all_off;

    // Registers
    std::uint8_t dor_ = 0, tdr_ = 0, rate_ = 0;
    bool no_precompensation_ = false;
    bool is_ready_ = false;
    std::array<Duration, drives> motor_since_{};
    // SRA and SRB: what has passed on the wires
    bool stepped_ = false, step_inwards_ = false, was_read_ = false, was_written_ = false,
         write_gate_ = false;

    // What commands have set
    std::array<std::uint8_t, 2> specify_{};
    std::uint8_t configuration_ = 0, precompensation_track_ = 0, perpendicular_ = 0;
    bool is_locked_ = false;

    // Seeks
    std::array<std::uint8_t, drives>
        cylinder_{};  // PCN: where the controller takes the heads to be
    std::array<SeekKind, drives> seek_kind_{};
    std::array<std::uint8_t, drives> steps_left_{}, seek_status_{};
    std::uint8_t seeking_ = 0, seeks_inwards_ = 0;  // a bit for each drive
    std::uint8_t seek_ended_ = 0, polled_ = 0;      // which SENSE INTERRUPT STATUS will tell of
    bool poll_interrupt_ = false;

    // The command
    Phase phase_ = Phase::Command;
    FdcCommand doing_ = FdcCommand::Invalid;
    std::array<std::uint8_t, 9> command_{};
    std::uint8_t received_ = 0, length_ = 0;
    std::array<std::uint8_t, 10> result_{};
    std::uint8_t result_length_ = 0, result_at_ = 0;
    bool result_interrupt_ = false;
    std::uint8_t st0_ = 0, st1_ = 0, st2_ = 0;
    std::uint8_t c_ = 0, h_ = 0, r_ = 0, n_ = 0;  // of the sector that is looked for
    std::uint8_t last_record_ = 0;                // EOT, or SC of FORMAT TRACK
    std::uint8_t step_of_records_ = 1, to_verify_ = 0;
    bool head_ = false;
    Wait wait_ = Wait::None;
    Duration head_loaded_until_{0};
    Duration track_begin_{0};       // the index pulse at which READ TRACK or FORMAT TRACK began
    std::uint8_t track_index_ = 0;  // of the sector, in the order in which they pass
    std::uint16_t track_count_ = 0;
    bool is_last_ = false;  // nothing is read after this sector
    bool has_written_ = false, implied_seek_ = false, disk_lost_ = false;

    // Data
    std::uint32_t expected_ = 0, moved_ = 0, passed_ = 0;  // bytes: in all, host's side, disk's
    std::uint32_t data_offset_ = 0;
    bool terminal_count_ = false, dma_request_ = false, fifo_request_ = false;
    std::array<std::uint8_t, fifo_size> fifo_{};
    std::uint8_t fifo_count_ = 0;
    std::array<std::uint8_t, largest_sector> buffer_{};
    std::array<std::uint8_t, largest_sector> compared_{};  // what SCAN has read from the disk
    Io io_ = Io::None;

    std::uint64_t commands_ = 0, sectors_ = 0, failures_ = 0, overruns_ = 0;
};

}  // namespace backplane::storage
