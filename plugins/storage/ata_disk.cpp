#include "ata_disk.h"

#include "ata_commands.h"

#include <algorithm>
#include <bit>

namespace backplane::storage {

void AtaDisk::declare(Declaration<AtaDisk>& d) {
    d.type("storage.ata-disk", "ATA hard disk");
    declare_drive(d);
    d.property("model", &AtaDisk::model_, "Model, at most 40 characters");
    d.property("firmware", &AtaDisk::firmware_, "Firmware revision, at most 8 characters");
    d.property("wwn", &AtaDisk::wwn_, "World wide name; none when 0");
    d.property("cylinders", &AtaDisk::cylinders_, "Of the geometry; 0 = as usual for this size")
        .range(0u, 16383u);
    d.property("heads", &AtaDisk::heads_, "Of the geometry; 0 = as usual for this size")
        .range(0u, 16u);
    d.property("sectors", &AtaDisk::sectors_, "Of a track; 0 = as usual for this size")
        .range(0u, 255u);
    d.property("trim", &AtaDisk::trim_, "Offer DATA SET MANAGEMENT where the image can discard");
    d.saved("geometry.cylinders", [](AtaDisk& t) -> auto& { return t.geometry_.cylinders; });
    d.saved("geometry.heads", [](AtaDisk& t) -> auto& { return t.geometry_.heads; });
    d.saved("geometry.sectors", [](AtaDisk& t) -> auto& { return t.geometry_.sectors; });
    d.saved("translation.cylinders", [](AtaDisk& t) -> auto& { return t.translation_.cylinders; });
    d.saved("translation.heads", [](AtaDisk& t) -> auto& { return t.translation_.heads; });
    d.saved("translation.sectors", [](AtaDisk& t) -> auto& { return t.translation_.sectors; });
    d.saved("multiple", &AtaDisk::multiple_);
    d.saved("write-cache", &AtaDisk::write_cache_);
    d.saved("look-ahead", &AtaDisk::look_ahead_);
    d.saved("task", &AtaDisk::task_);
    d.saved("width", &AtaDisk::width_);
    d.saved("protocol", &AtaDisk::protocol_);
    d.saved("forced", &AtaDisk::forced_);
    d.saved("single", &AtaDisk::is_single_);
    d.saved("sector", &AtaDisk::sector_);
    d.saved("total", &AtaDisk::total_);
    d.saved("left", &AtaDisk::left_);
    d.saved("block", &AtaDisk::block_);
    d.saved("batch", &AtaDisk::batch_);
    d.saved("moved", &AtaDisk::moved_);
    d.saved("written", &AtaDisk::written_);
    d.saved("plugged", &AtaDisk::is_plugged_);
    d.saved("queue.failed", &AtaDisk::queue_has_failed_);
    d.saved("queue.failure", &AtaDisk::queue_failure_);
    d.saved("smart", &AtaDisk::smart_);
    d.saved("smart.autosave", &AtaDisk::smart_autosave_);
    d.saved("smart.self-test", &AtaDisk::self_test_);
    d.saved("smart.self-test-hours", &AtaDisk::self_test_hours_);
    d.saved("smart.uncorrectable", &AtaDisk::uncorrectable_);
    DirectTransfers::declare_saved<AtaDisk>(
        d, [](AtaDisk& t) -> DirectTransfers& { return t.transfers_; });
    d.timer<&AtaDisk::access_time_over>("queue",
                                        [](AtaDisk& t) -> auto& { return t.transfers_.timer(); });
    d.counter("sectors.read", &AtaDisk::sectors_read_, "sectors", "Read from the image");
    d.counter("sectors.written", &AtaDisk::sectors_written_, "sectors", "Written to the image");
    d.counter("flushes", &AtaDisk::flushes_, "flushes", "FLUSH CACHE commands");
    d.counter("commands.queued", &AtaDisk::queued_commands_, "commands", "Of SATA hosts");
    d.counter("failures", &AtaDisk::failures_, "commands", "Ended by an error of the image");
}

Outcome AtaDisk::start() {
    transfers_.connect(*this, serial_host(), image(), host(), access_time_);
    image().listen(fixed_);
    if (!image().info().has_medium()) return {};
    return take_medium();
}

// The geometry, once it is known how large the disk is.
Outcome AtaDisk::take_medium() {
    const BlockInfo info = image().info();
    if (info.block_size > sector_size)
        return std::unexpected("the image is made of blocks of " + std::to_string(info.block_size) +
                               " bytes; an ATA disk needs 512");
    if (total_sectors() == 0)
        return std::unexpected(std::string{"the image is empty; an ATA disk needs at least one "
                                           "sector of 512 bytes"});
    geometry_ = DiskGeometry::natural(total_sectors());
    if (info.cylinders != 0 && info.heads != 0 && info.sectors != 0)
        geometry_ = {info.cylinders, info.heads, info.sectors};
    if (cylinders_ != 0) geometry_.cylinders = cylinders_;
    if (heads_ != 0) geometry_.heads = heads_;
    if (sectors_ != 0) geometry_.sectors = sectors_;
    if (geometry_.capacity() > total_sectors())
        return std::unexpected("a geometry of " + std::to_string(geometry_.cylinders) +
                               " cylinders, " + std::to_string(geometry_.heads) + " heads and " +
                               std::to_string(geometry_.sectors) +
                               " sectors is larger than the image, which has " +
                               std::to_string(total_sectors()) + " sectors");
    is_plugged_ = true;
    return {};
}

void AtaDisk::attached() { image().listen(plugged_); }

void AtaDisk::stop() {
    transfers_.cancel();
    AtaDrive::stop();
}

void AtaDisk::restored() {
    AtaDrive::restored();
    transfers_.restored();
}

// The image has finished what was asked of it. Another medium is another disk: the old one is
// unplugged first.
void AtaDisk::plug_changed() {
    const auto tell = [this] {
        if (serial_host().presence_changed != nullptr)
            serial_host().presence_changed(serial_host().user);
    };
    if (is_plugged_) {
        is_plugged_ = false;
        reset(ResetKind::PowerOn);
        tell();
    }
    if (!image().info().has_medium()) return;
    if (const Outcome outcome = take_medium(); !outcome) {
        log(LogLevel::Error, "stays unplugged: ", outcome.error());
        return;
    }
    reset(ResetKind::PowerOn);
    tell();
}

void AtaDisk::resized() {
    log(LogLevel::Info, "now has ", total_sectors(),
        " sectors; the guest sees it at its next reset");
}

void AtaDisk::reset_command(std::uint32_t kind) {
    task_ = Task::None;
    is_single_ = false;
    transfers_.cancel();
    queue_has_failed_ = false;
    // SRST leaves the settings of SET FEATURES alone, which not all hosts make again.
    if (kind != BACKPLANE_ATA_RESET_HARDWARE) return;
    multiple_ = 0;
    write_cache_ = look_ahead_ = true;
    translation_ = geometry_;
}

void AtaDisk::begin_command() {
    task_ = Task::None;
    if (!begin_transfer()) run_simple_command();
}

void AtaDisk::run_simple_command() {
    const std::uint8_t opcode = command().command;
    if (opcode >= ata_command::recalibrate && opcode <= ata_command::recalibrate + 0xf) {
        result().lba &= ~std::uint64_t{0xffff00};
        return complete();
    }
    if (opcode >= ata_command::seek && opcode <= ata_command::seek + 0xf) return seek();
    switch (opcode) {
    case ata_command::identify_device: return identify();
    case ata_command::set_features: return set_features();
    case ata_command::set_multiple_mode: return set_multiple_mode();
    case ata_command::initialize_device_parameters: return initialize_device_parameters();
    case ata_command::smart: return run_smart();
    case ata_command::read_log_ext: return read_log(Protocol::Pio);
    case ata_command::read_log_dma_ext: return read_log(Protocol::Dma);
    case ata_command::read_native_max_address: return report_native_maximum(AddressWidth::Bits28);
    case ata_command::read_native_max_address_ext:
        return report_native_maximum(AddressWidth::Bits48);
    default: return fail(ata_error::abrt);
    }
}

void AtaDisk::seek() {
    const auto range = addressed_sectors(command(), AddressWidth::Bits28, translation_);
    if (!range || range->first >= total_sectors()) return fail(ata_error::idnf);
    complete();
}

void AtaDisk::set_multiple_mode() {
    const std::uint32_t count = command().count & 0xff;
    if (count > most_multiple || (count != 0 && !std::has_single_bit(count)))
        return fail(ata_error::abrt);
    multiple_ = count;
    complete();
}

void AtaDisk::initialize_device_parameters() {
    const auto wanted = DiskGeometry::divided(total_sectors(), (command().device & 0xf) + 1u,
                                              command().count & 0xff);
    if (!wanted) return fail(ata_error::abrt);
    translation_ = *wanted;
    complete();
}

void AtaDisk::report_native_maximum(AddressWidth width) {
    std::uint64_t last = total_sectors() - 1;
    if (width == AddressWidth::Bits28) last = std::min<std::uint64_t>(last, 0x0ffffffe);
    width_ = width;
    // The answer to the 28-bit command is in the form that its LBA bit asks for.
    show_address(last);
    complete();
}

void AtaDisk::set_features() {
    switch (command().features & 0xff) {
    case 0x02: write_cache_ = true; return complete();
    case 0x82: {
        // What it holds is written before it is off. (ATA/ATAPI-7, 6.49.2)
        write_cache_ = false;
        task_ = Task::Flush;
        return start_command_io(BlockOperation::Flush, 0, 0);
    }
    case 0x03: return set_transfer_mode();
    case 0x55: look_ahead_ = false; return complete();
    case 0xaa: look_ahead_ = true; return complete();
    case 0x66:  // whether a reset goes back to the defaults: it does not
    case 0xcc: return complete();
    default: return fail(ata_error::abrt);
    }
}

}  // namespace backplane::storage
