#include "floppy_drive.h"

#include <algorithm>
#include <bitset>
#include <chrono>
#include <cstring>

namespace backplane::storage {

namespace {

using namespace std::chrono_literals;

constexpr std::uint8_t size_code = 2;  // of 512 bytes
constexpr Duration spin_up_time = 300ms;

constexpr backplane_floppy_drive functions{
    sizeof(backplane_floppy_drive), 0,
    thunk<&FloppyDrive::attach>,    thunk<&FloppyDrive::state>,
    thunk<&FloppyDrive::step>,      thunk<&FloppyDrive::track>,
    thunk<&FloppyDrive::sector>,    thunk<&FloppyDrive::read>,
    thunk<&FloppyDrive::write>,     thunk<&FloppyDrive::format>,
    thunk<&FloppyDrive::flush>,     thunk<&FloppyDrive::cancel>};

}  // namespace

void FloppyDrive::declare(Declaration<FloppyDrive>& d) {
    d.type("storage.floppy-drive", "Floppy disk drive");
    d.property("capacity", &FloppyDrive::capacity_, {"360k", "1.2m", "720k", "1.44m", "2.88m"},
               "What the drive is made for; it takes disks of its size with less as well");
    d.connects("image", &FloppyDrive::image_, "The disk, of which the size tells the format");
    d.provides("cable", functions, "Place at the controller");
    d.saved("cylinder", &FloppyDrive::cylinder_);
    d.saved("disk-change", &FloppyDrive::disk_change_);
    d.saved("deleted", &FloppyDrive::deleted_);
    d.counter("steps", &FloppyDrive::steps_, "steps", "Of the head, to the next cylinder");
    d.counter("sectors.read", &FloppyDrive::sectors_read_, "sectors", "Of 512 bytes");
    d.counter("sectors.written", &FloppyDrive::sectors_written_, "sectors", "Of 512 bytes");
    d.counter("failures", &FloppyDrive::failures_, "transfers", "Refused by the image");
}

Outcome FloppyDrive::start() {
    const BlockInfo info = image_.info();
    if (info.block_size > sector_size)
        return std::unexpected("the image is made of blocks of " + std::to_string(info.block_size) +
                               " bytes; a floppy disk needs 512 or less");
    if (info.has_medium())
        if (std::string misfit = floppy_misfit(capacity_, info.size); !misfit.empty())
            return std::unexpected(std::move(misfit));
    image_.listen(*this);
    look_at_disk();
    return {};
}

// No wire of the cable resets a drive.
void FloppyDrive::reset(ResetKind kind) {
    if (kind != ResetKind::PowerOn) return;
    cylinder_ = 0;
    disk_change_ = true;
    deleted_ = {};
}

void FloppyDrive::look_at_disk() {
    const BlockInfo info = image_.info();
    format_ = nullptr;
    if (!info.has_medium()) return;
    const std::string misfit = floppy_misfit(capacity_, info.size);
    if (misfit.empty())
        format_ = floppy_format(info.size);
    else
        log(LogLevel::Error, misfit, "; the guest cannot read it");
}

void FloppyDrive::medium_changed() {
    look_at_disk();
    disk_change_ = true;
    deleted_ = {};
    if (host_.disk_changed != nullptr) host_.disk_changed(host_.user);
}

void FloppyDrive::attach(const backplane_floppy_host* host) {
    host_ = {};
    std::memcpy(&host_, host, std::min<std::size_t>(host->struct_size, sizeof host_));
}

void FloppyDrive::state(backplane_floppy_state* state) {
    const BlockInfo info = image_.info();
    backplane_floppy_state answer{};
    answer.struct_size = state->struct_size;
    if (cylinder_ == 0) answer.signals |= BACKPLANE_FLOPPY_TRACK_0;
    if (disk_change_) answer.signals |= BACKPLANE_FLOPPY_DISK_CHANGE;
    // The sensor feels the tab of a disk; with none in it is as if that were open.
    if (info.has_medium()) {
        if (info.is_read_only()) answer.signals |= BACKPLANE_FLOPPY_WRITE_PROTECT;
        answer.revolution = static_cast<std::uint64_t>(Duration{1min}.count()) /
                            floppy_mechanism(capacity_).revolutions_per_minute;
    } else {
        answer.signals |= BACKPLANE_FLOPPY_WRITE_PROTECT;
    }
    answer.spin_up = static_cast<std::uint64_t>(spin_up_time.count());
    std::memcpy(state, &answer, std::min<std::size_t>(state->struct_size, sizeof answer));
}

void FloppyDrive::step(std::int32_t inwards) {
    ++steps_;
    if (has_disk()) disk_change_ = false;
    const unsigned last = floppy_mechanism(capacity_).cylinders - 1u;
    if (inwards != 0)
        cylinder_ = static_cast<std::uint8_t>(std::min(cylinder_ + 1u, last));
    else if (cylinder_ != 0)
        --cylinder_;
}

// A head for 80 cylinders takes two steps for each of a disk with 40, whose tracks are so wide that
// it reads the same after either.
unsigned FloppyDrive::cylinder_of_disk() const {
    constexpr unsigned cylinders_of_double_step = 40;
    const bool twice = format_->cylinders == cylinders_of_double_step &&
                       floppy_mechanism(capacity_).cylinders > 2 * cylinders_of_double_step;
    return twice ? cylinder_ / 2u : cylinder_;
}

// A disk that turns faster than it was made for passes its bits faster.
std::uint32_t FloppyDrive::bit_rate() const {
    constexpr std::uint32_t usual_speed = 300, speed_of_high_density_large = 360;
    const std::uint32_t own_speed = format_->is_large && format_->cylinders == 80
                                        ? speed_of_high_density_large
                                        : usual_speed;
    return static_cast<std::uint32_t>(std::uint64_t{format_->bit_rate} *
                                      floppy_mechanism(capacity_).revolutions_per_minute /
                                      own_speed);
}

bool FloppyDrive::is_formatted(std::uint32_t head) const {
    return format_ != nullptr && head < format_->heads && cylinder_of_disk() < format_->cylinders;
}

void FloppyDrive::track(std::uint32_t head, backplane_floppy_track* track) {
    backplane_floppy_track answer{};
    answer.struct_size = track->struct_size;
    if (is_formatted(head)) {
        answer.sectors = format_->sectors;
        answer.bit_rate = bit_rate();
        answer.encoding = BACKPLANE_FLOPPY_MFM;
    }
    std::memcpy(track, &answer, std::min<std::size_t>(track->struct_size, sizeof answer));
}

// Of sector `index` of the track, in sectors.
std::uint64_t FloppyDrive::place(std::uint32_t head, std::uint32_t index) const {
    return (std::uint64_t{cylinder_of_disk()} * format_->heads + head) * format_->sectors + index;
}

void FloppyDrive::mark(std::uint64_t sector, bool deleted) {
    const auto bit = static_cast<std::uint8_t>(1u << sector % 8);
    auto& byte = deleted_[sector / 8];
    byte = static_cast<std::uint8_t>(deleted ? byte | bit : byte & ~bit);
}

void FloppyDrive::sector(std::uint32_t head, std::uint32_t index, backplane_floppy_sector* sector) {
    *sector = {};
    if (!is_formatted(head) || index >= format_->sectors) return;
    const std::uint64_t at = place(head, index);
    sector->cylinder = static_cast<std::uint8_t>(cylinder_of_disk());
    sector->head = static_cast<std::uint8_t>(head);
    sector->record = static_cast<std::uint8_t>(index + 1);
    sector->size = size_code;
    sector->deleted = deleted_[at / 8] >> at % 8 & 1;
}

std::int32_t FloppyDrive::read(std::uint32_t head, std::uint32_t index, std::uint8_t* data) {
    if (!is_formatted(head) || index >= format_->sectors) return BACKPLANE_BLOCK_NO_MEDIUM;
    ++sectors_read_;
    return start_transfer(BlockOperation::Read, place(head, index), sector_size, data);
}

std::int32_t FloppyDrive::write(std::uint32_t head, std::uint32_t index, const std::uint8_t* data,
                                std::int32_t deleted) {
    if (!is_formatted(head) || index >= format_->sectors) return BACKPLANE_BLOCK_NO_MEDIUM;
    const std::uint64_t at = place(head, index);
    mark(at, deleted != 0);
    ++sectors_written_;
    // Backends do not write to what they are to write.
    return start_transfer(BlockOperation::Write, at, sector_size, const_cast<std::uint8_t*>(data));
}

std::int32_t FloppyDrive::format(std::uint32_t head, const backplane_floppy_track* track,
                                 const backplane_floppy_sector* sectors, std::uint8_t filler) {
    if (!is_formatted(head) || track->sectors != format_->sectors ||
        track->bit_rate != bit_rate() || track->encoding != BACKPLANE_FLOPPY_MFM)
        return BACKPLANE_BLOCK_INVALID;
    std::bitset<most_sectors_of_track + 1> seen;
    for (std::uint32_t index = 0; index < track->sectors; ++index) {
        const backplane_floppy_sector& each = sectors[index];
        if (each.cylinder != cylinder_of_disk() || each.head != head || each.size != size_code ||
            each.record == 0 || each.record > format_->sectors || seen[each.record])
            return BACKPLANE_BLOCK_INVALID;
        seen.set(each.record);
    }
    const std::uint64_t first = place(head, 0);
    for (std::uint32_t index = 0; index < format_->sectors; ++index)
        mark(first + index, false);
    sectors_written_ += format_->sectors;
    filling_.fill(filler);
    return start_transfer(BlockOperation::Write, first,
                          std::uint64_t{format_->sectors} * sector_size, filling_.data());
}

std::int32_t FloppyDrive::flush() { return start_transfer(BlockOperation::Flush, 0, 0, nullptr); }

std::int32_t FloppyDrive::start_transfer(BlockOperation operation, std::uint64_t first_sector,
                                         std::uint64_t bytes, std::uint8_t* data) {
    const BlockResult result = transfer_.start(*this, image_, operation, first_sector * sector_size,
                                               bytes, reinterpret_cast<std::byte*>(data));
    if (result != BlockResult::Ok && result != BlockResult::Pending) ++failures_;
    return static_cast<std::int32_t>(result);
}

void FloppyDrive::arrived(BlockResult result) {
    if (result != BlockResult::Ok) ++failures_;
    if (host_.completed != nullptr) host_.completed(host_.user, static_cast<std::int32_t>(result));
}

}  // namespace backplane::storage
