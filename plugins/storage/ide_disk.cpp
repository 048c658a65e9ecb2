#include "ide_disk.h"

#include "ata_commands.h"

#include <algorithm>
#include <bit>

namespace backplane::storage {

void IdeDisk::declare(Declaration<IdeDisk>& d) {
    d.type("storage.ide-disk", "ATA hard disk");
    declare_drive(d);
    d.property("model", &IdeDisk::model_, "Model, at most 40 characters");
    d.property("firmware", &IdeDisk::firmware_, "Firmware revision, at most 8 characters");
    d.property("wwn", &IdeDisk::wwn_, "World wide name; none when 0");
    d.property("cylinders", &IdeDisk::cylinders_, "Of the geometry; 0 = as usual for this size")
        .range(0u, 16383u);
    d.property("heads", &IdeDisk::heads_, "Of the geometry; 0 = as usual for this size")
        .range(0u, 16u);
    d.property("sectors", &IdeDisk::sectors_, "Of a track; 0 = as usual for this size")
        .range(0u, 255u);
    d.property("trim", &IdeDisk::trim_, "Offer DATA SET MANAGEMENT where the image can discard");
    d.saved("geometry.cylinders", [](IdeDisk& t) -> auto& { return t.geometry_.cylinders; });
    d.saved("geometry.heads", [](IdeDisk& t) -> auto& { return t.geometry_.heads; });
    d.saved("geometry.sectors", [](IdeDisk& t) -> auto& { return t.geometry_.sectors; });
    d.saved("translation.cylinders", [](IdeDisk& t) -> auto& { return t.translation_.cylinders; });
    d.saved("translation.heads", [](IdeDisk& t) -> auto& { return t.translation_.heads; });
    d.saved("translation.sectors", [](IdeDisk& t) -> auto& { return t.translation_.sectors; });
    d.saved("multiple", &IdeDisk::multiple_);
    d.saved("write-cache", &IdeDisk::write_cache_);
    d.saved("look-ahead", &IdeDisk::look_ahead_);
    d.saved("task", &IdeDisk::task_);
    d.saved("width", &IdeDisk::width_);
    d.saved("protocol", &IdeDisk::protocol_);
    d.saved("forced", &IdeDisk::forced_);
    d.saved("single", &IdeDisk::is_single_);
    d.saved("sector", &IdeDisk::sector_);
    d.saved("total", &IdeDisk::total_);
    d.saved("left", &IdeDisk::left_);
    d.saved("block", &IdeDisk::block_);
    d.saved("batch", &IdeDisk::batch_);
    d.saved("moved", &IdeDisk::moved_);
    d.saved("written", &IdeDisk::written_);
    d.counter("sectors.read", &IdeDisk::sectors_read_, "sectors", "Read from the image");
    d.counter("sectors.written", &IdeDisk::sectors_written_, "sectors", "Written to the image");
    d.counter("flushes", &IdeDisk::flushes_, "flushes", "FLUSH CACHE commands");
    d.counter("failures", &IdeDisk::failures_, "commands", "Ended by an error of the image");
}

Outcome IdeDisk::start() {
    const BlockInfo info = image().info();
    if (info.block_size > sector_size)
        return std::unexpected("the image is made of blocks of " + std::to_string(info.block_size) +
                               " bytes; an IDE disk needs 512");
    if (!info.has_medium()) return {};
    if (total_sectors() == 0)
        return std::unexpected(std::string{"the image is empty; an IDE disk needs at least one "
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
    image().listen(*this);
    return {};
}

void IdeDisk::resized() {
    log(LogLevel::Info, "now has ", total_sectors(),
        " sectors; the guest sees it at its next reset");
}

void IdeDisk::reset_command(std::uint32_t kind) {
    task_ = Task::None;
    is_single_ = false;
    // SRST leaves the settings of SET FEATURES alone, which not all hosts make again.
    if (kind != BACKPLANE_ATA_RESET_HARDWARE) return;
    multiple_ = 0;
    write_cache_ = look_ahead_ = true;
    translation_ = geometry_;
}

void IdeDisk::begin_command() {
    task_ = Task::None;
    if (!begin_transfer()) run_simple_command();
}

void IdeDisk::run_simple_command() {
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
    case ata_command::read_native_max_address: return report_native_maximum(AddressWidth::Bits28);
    case ata_command::read_native_max_address_ext:
        return report_native_maximum(AddressWidth::Bits48);
    default: return fail(ata_error::abrt);
    }
}

void IdeDisk::seek() {
    const auto range = addressed_sectors(command(), AddressWidth::Bits28, translation_);
    if (!range || range->first >= total_sectors()) return fail(ata_error::idnf);
    complete();
}

void IdeDisk::set_multiple_mode() {
    const std::uint32_t count = command().count & 0xff;
    if (count > most_multiple || (count != 0 && !std::has_single_bit(count)))
        return fail(ata_error::abrt);
    multiple_ = count;
    complete();
}

void IdeDisk::initialize_device_parameters() {
    const auto wanted = DiskGeometry::divided(total_sectors(), (command().device & 0xf) + 1u,
                                              command().count & 0xff);
    if (!wanted) return fail(ata_error::abrt);
    translation_ = *wanted;
    complete();
}

void IdeDisk::report_native_maximum(AddressWidth width) {
    std::uint64_t last = total_sectors() - 1;
    if (width == AddressWidth::Bits28) last = std::min<std::uint64_t>(last, 0x0ffffffe);
    width_ = width;
    // The answer to the 28-bit command is in the form that its LBA bit asks for.
    show_address(last);
    complete();
}

void IdeDisk::set_features() {
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

void IdeDisk::identify() {
    const BlockInfo info = image().info();
    const std::uint64_t total = total_sectors();
    const auto total28 = static_cast<std::uint32_t>(std::min<std::uint64_t>(total, 0x0fffffff));
    IdentifyData data;
    data[0] = 0x0040;  // not removable
    data[1] = static_cast<std::uint16_t>(geometry_.cylinders);
    data[3] = static_cast<std::uint16_t>(geometry_.heads);
    data[6] = static_cast<std::uint16_t>(geometry_.sectors);
    data.set_text(10, 10, text_or_name(serial_));
    data.set_text(23, 4, firmware_);
    data.set_text(27, 20, model_);
    data[47] = 0x8000 | most_multiple;
    data[49] = 0x2f00;  // standard standby timer values, IORDY, LBA, DMA
    data[50] = 0x4000;
    data[51] = 0x0200;
    data[53] = 0x0007;  // words 54 to 58, 64 to 70 and 88 are valid
    data[54] = static_cast<std::uint16_t>(translation_.cylinders);
    data[55] = static_cast<std::uint16_t>(translation_.heads);
    data[56] = static_cast<std::uint16_t>(translation_.sectors);
    data.set32(57, static_cast<std::uint32_t>(
                       std::min<std::uint64_t>(translation_.capacity(), 0xffffffff)));
    data[59] = static_cast<std::uint16_t>(multiple_ != 0 ? 0x100 | multiple_ : 0);
    data.set32(60, total28);
    data[63] = multiword_modes();
    data[64] = 0x0003;                                // PIO 3 and 4
    data[65] = data[66] = data[67] = data[68] = 120;  // cycle times in ns
    data[80] = 0x01f0;                                // ATA/ATAPI-4 to ATA8-ACS
    // Power management, write cache, look-ahead, READ and WRITE BUFFER, NOP
    data[82] = 0x7068;
    data[83] = 0x7400;  // 48-bit addresses, FLUSH CACHE and FLUSH CACHE EXT
    data[84] = static_cast<std::uint16_t>(0x4040 | (wwn_ != 0 ? 0x0100 : 0));  // WRITE ... FUA EXT
    data[85] = static_cast<std::uint16_t>(0x7008 | (write_cache_ ? 0x0020 : 0) |
                                          (look_ahead_ ? 0x0040 : 0));
    data[86] = 0x3400;
    data[87] = data[84];
    data[88] = ultra_modes();
    data[93] = 0x600b;  // 80-conductor cable, as far as device 0 can tell
    data.set64(100, total);
    const bool trims = trim_ && info.can_discard() && !info.is_read_only();
    if (trims) data[105] = sectors_in_buffer;
    if (info.physical_block_size > sector_size) {
        const auto shift = std::countr_zero(info.physical_block_size / sector_size);
        data[106] = static_cast<std::uint16_t>(0x6000 | shift);
    }
    if (wwn_ != 0)
        for (unsigned word = 0; word < 4; ++word)
            data[108 + word] = static_cast<std::uint16_t>(wwn_ >> (48 - word * 16));
    if (trims) data[169] = 0x0001;
    data[217] = 0x0001;  // does not rotate
    data.write_to(bytes());
    task_ = Task::SendBuffer;
    begin_phase(BACKPLANE_ATA_PIO_IN, 0, sector_size, true);
}

}  // namespace backplane::storage
