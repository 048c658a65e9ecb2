// The drive as an ATA device: its few commands, and the transport of packets, data and status.
// (ATA/ATAPI-7 volume 1, 6.25)
#include "atapi_cdrom.h"

#include "ata_commands.h"

#include <algorithm>

namespace backplane::storage {

namespace {

// Bits of the Features register of PACKET.
constexpr std::uint16_t dma = 0x01, overlap = 0x02;

}  // namespace

void AtapiCdrom::declare(Declaration<AtapiCdrom>& d) {
    d.type("storage.atapi-cdrom", "ATAPI CD-ROM and DVD-ROM drive");
    declare_drive(d);
    d.property("vendor", &AtapiCdrom::vendor_, "Vendor that INQUIRY tells, at most 8 characters");
    d.property("model", &AtapiCdrom::model_,
               "Model, at most 40 characters; INQUIRY tells the first 16");
    d.property("firmware", &AtapiCdrom::firmware_, "Firmware revision, at most 8 characters");
    d.saved("tray-open", &AtapiCdrom::tray_open_);
    d.saved("locked", &AtapiCdrom::is_locked_);
    d.saved("sense.key", [](AtapiCdrom& t) -> auto& { return t.sense_.key; });
    d.saved("sense.asc", [](AtapiCdrom& t) -> auto& { return t.sense_.asc; });
    d.saved("sense.ascq", [](AtapiCdrom& t) -> auto& { return t.sense_.ascq; });
    d.saved("sense.information", &AtapiCdrom::sense_information_);
    d.saved("attention.key", [](AtapiCdrom& t) -> auto& { return t.attention_.key; });
    d.saved("attention.asc", [](AtapiCdrom& t) -> auto& { return t.attention_.asc; });
    d.saved("attention.ascq", [](AtapiCdrom& t) -> auto& { return t.attention_.ascq; });
    d.saved("media-event", &AtapiCdrom::media_event_);
    d.saved("position", &AtapiCdrom::position_);
    d.saved("retries", &AtapiCdrom::retries_);
    d.saved("recovery", &AtapiCdrom::recovery_);
    d.saved("task", &AtapiCdrom::task_);
    d.saved("packet", &AtapiCdrom::packet_);
    d.saved("by-dma", &AtapiCdrom::by_dma_);
    d.saved("limit", &AtapiCdrom::limit_);
    d.saved("filled", &AtapiCdrom::filled_);
    d.saved("moved", &AtapiCdrom::moved_);
    d.saved("moving", &AtapiCdrom::moving_);
    d.saved("next-block", &AtapiCdrom::next_block_);
    d.saved("blocks-left", &AtapiCdrom::blocks_left_);
    d.saved("loading", &AtapiCdrom::loading_);
    d.saved("parts", &AtapiCdrom::parts_);
    d.saved("single", &AtapiCdrom::is_single_);
    d.counter("blocks.read", &AtapiCdrom::blocks_read_, "blocks", "Of 2048 bytes");
    d.counter("packets", &AtapiCdrom::packets_, "commands", "Packet commands");
    d.counter("failures", &AtapiCdrom::failures_, "commands", "Ended by an error of the image");
    d.gauge(
        "tray.open", [](AtapiCdrom& t) { return t.tray_open_; }, "trays",
        "1 while the tray is open");
}

Outcome AtapiCdrom::start() {
    const BlockInfo info = image().info();
    if (info.block_size > block_size)
        return std::unexpected("the image is made of blocks of " + std::to_string(info.block_size) +
                               " bytes; a CD-ROM drive needs 2048 or less");
    image().listen(*this);
    return {};
}

void AtapiCdrom::reset(ResetKind kind) {
    if (kind == ResetKind::PowerOn) tray_open_ = false;
    AtaDrive::reset(kind);
}

void AtapiCdrom::reset_command(std::uint32_t kind) {
    task_ = Task::None;
    filled_ = moved_ = moving_ = blocks_left_ = loading_ = 0;
    is_single_ = false;
    // DEVICE RESET and SRST leave the modes and the tray as they are. (MMC-5, 4.1.6)
    if (kind != BACKPLANE_ATA_RESET_HARDWARE) return;
    sense_ = {};
    sense_information_ = 0;
    attention_ = sense::power_on_or_reset;
    media_event_ = 0;
    retries_ = 5;
    recovery_ = 0;
    if (is_locked_) image().lock_medium(false);
    is_locked_ = false;
}

std::uint32_t AtapiCdrom::blocks() const {
    const std::uint64_t count = (image().info().size + block_size - 1) / block_size;
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(count, 0xffffffff));
}

// Whoever changes the medium puts it in and closes the tray.
void AtapiCdrom::medium_changed() {
    constexpr std::uint8_t new_media = 2, media_removal = 3;
    tray_open_ = false;
    position_ = 0;
    media_event_ = blocks() != 0 ? new_media : media_removal;
    attention_ = sense::medium_may_have_changed;
    // A command that is reading the old one gets no more of it.
    if (task_ == Task::Read) is_single_ = true;
}

void AtapiCdrom::eject_requested() {
    constexpr std::uint8_t eject_request = 1;
    media_event_ = eject_request;
}

void AtapiCdrom::begin_command() {
    task_ = Task::None;
    switch (command().command) {
    case ata_command::packet: return begin_packet();
    case ata_command::identify_packet_device: return identify();
    case ata_command::device_reset: {
        reset_command(BACKPLANE_ATA_RESET_SOFTWARE);
        return show_signature(false);
    }
    // Hosts tell packet devices by what they leave behind then. (ATA/ATAPI-6, 8.15.5)
    case ata_command::identify_device:
    case ata_command::read_sectors: return abort_with_signature();
    case ata_command::set_features: {
        const auto feature = command().features & 0xff;
        if (feature == 0x03) return set_transfer_mode();
        if (feature == 0x66 || feature == 0xcc) return complete();
        return fail(ata_error::abrt);
    }
    default: return fail(ata_error::abrt);
    }
}

void AtapiCdrom::abort_with_signature() {
    result().count = 1;
    result().lba = packet_signature;
    fail(ata_error::abrt);
}

void AtapiCdrom::identify() {
    IdentifyData data;
    data[0] = 0x85c0;  // packet device, CD-ROM, removable, asks for packets within 50 us, 12 bytes
    data.set_text(10, 10, text_or_name(serial_));
    data.set_text(23, 4, firmware_);
    data.set_text(27, 20, model_);
    data[49] = 0x0f00;  // IORDY, LBA, DMA
    data[50] = 0x4000;
    data[53] = 0x0006;  // words 64 to 70 and 88 are valid
    data[63] = multiword_modes();
    data[64] = 0x0003;
    data[65] = data[66] = data[67] = data[68] = 120;
    data[80] = 0x00f0;             // ATA/ATAPI-4 to 7
    data[82] = data[85] = 0x4218;  // NOP, DEVICE RESET, PACKET, power management
    data[83] = data[84] = data[87] = 0x4000;
    data[88] = ultra_modes();
    identify_cable(data);
    data.write_to(bytes());
    task_ = Task::Identify;
    begin_phase(BACKPLANE_ATA_PIO_IN, 0, 512, true);
}

// ---- Packets

void AtapiCdrom::begin_packet() {
    if ((command().features & overlap) != 0) return fail(ata_error::abrt);
    by_dma_ = (command().features & dma) != 0;
    limit_ = static_cast<std::uint16_t>(command().lba >> 8);
    task_ = Task::Packet;
    result().count = interrupt_reason::cod;
    begin_phase(BACKPLANE_ATA_PACKET, 0, packet_.size(), false);
}

void AtapiCdrom::phase_done() {
    switch (task_) {
    case Task::Identify: return complete(false);
    case Task::Packet:
        std::copy_n(bytes().begin(), packet_.size(), packet_.begin());
        return run_packet();
    case Task::Reply:
    case Task::Read: moved_ += moving_; return send_more();
    case Task::Parameters:
        moved_ += moving_;
        return moved_ < filled_ ? take_parameters(filled_) : apply_parameters();
    default: return;
    }
}

void AtapiCdrom::run_packet() {
    ++packets_;
    task_ = Task::None;
    filled_ = moved_ = moving_ = blocks_left_ = 0;
    if (run_without_medium()) return;
    sense_ = {};
    if (attention_ != sense::none) return check(std::exchange(attention_, sense::none));
    run_with_medium();
}

std::span<std::uint8_t> AtapiCdrom::empty_reply(std::size_t length) {
    const auto place = bytes().first(length);
    std::ranges::fill(place, std::uint8_t{0});
    return place;
}

// Sends what the host allocated room for.
void AtapiCdrom::reply(std::size_t length, std::size_t allocated) {
    filled_ = static_cast<std::uint32_t>(std::min(length, allocated));
    if (filled_ == 0) return good();
    task_ = Task::Reply;
    send_more();
}

// The largest block that PIO may move at once: even unless it is the last, and whole blocks of the
// medium where there is room. (ATA/ATAPI-7 volume 1, 6.25.4)
void AtapiCdrom::send_more() {
    if (moved_ == filled_) {
        if (blocks_left_ != 0) return run_io(load_blocks());
        return good();
    }
    const std::uint32_t left = filled_ - moved_;
    moving_ = left;
    if (!by_dma_) {
        const std::uint32_t most = limit_ == 0xffff ? 0xfffe : limit_;
        // A host that leaves no room gets nothing.
        if (most < 2 && most < left) return refuse();
        if (most < left) {
            moving_ = most & ~1u;
            const auto whole = static_cast<std::uint32_t>(bytes_of_block());
            if (task_ == Task::Read && moving_ > whole) moving_ -= moving_ % whole;
        }
    }
    result().count = interrupt_reason::io;
    result().lba = std::uint64_t{moving_ & 0xffff} << 8;
    begin_phase(by_dma_ ? BACKPLANE_ATA_DMA_IN : BACKPLANE_ATA_PIO_IN, moved_, moving_, !by_dma_);
}

void AtapiCdrom::take_parameters(std::size_t length) {
    task_ = Task::Parameters;
    filled_ = static_cast<std::uint32_t>(length);
    moving_ = filled_ - moved_;
    if (!by_dma_) {
        const std::uint32_t most = limit_ == 0xffff ? 0xfffe : limit_;
        if (most < 2 && most < moving_) return refuse();
        if (most < moving_) moving_ = most & ~1u;
    }
    result().count = 0;
    result().lba = std::uint64_t{moving_} << 8;
    begin_phase(by_dma_ ? BACKPLANE_ATA_DMA_OUT : BACKPLANE_ATA_PIO_OUT, moved_, moving_, !by_dma_);
}

void AtapiCdrom::refuse() {
    task_ = Task::None;
    blocks_left_ = 0;
    result().count = interrupt_reason::io | interrupt_reason::cod;
    fail(ata_error::abrt);
}

void AtapiCdrom::good() {
    task_ = Task::None;
    result().error = 0;
    result().count = interrupt_reason::io | interrupt_reason::cod;
    complete();
}

void AtapiCdrom::check(const Sense& sense, std::uint32_t information) {
    task_ = Task::None;
    blocks_left_ = 0;
    sense_ = sense;
    sense_information_ = information;
    result().count = interrupt_reason::io | interrupt_reason::cod;
    fail(static_cast<std::uint8_t>(sense.key << 4 | ata_error::abrt));
}

}  // namespace backplane::storage
