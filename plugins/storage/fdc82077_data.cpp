// Bytes between the host and the buffer: by DMA, or by the CPU through the FIFO. (datasheet 4.2)
#include "fdc82077.h"
#include "fdc_registers.h"

#include <algorithm>
#include <cstring>

namespace backplane::storage {

namespace {

// Bits of CONFIGURE's third byte.
constexpr std::uint8_t fifo_disabled = 0x20, fifo_threshold_bits = 0x0f;

}  // namespace

// What the host gives or takes of a sector: less than it has, when it is one of 128 bytes and DTL
// says so.
std::uint32_t Fdc82077::sector_bytes() const {
    constexpr std::uint32_t smallest = 128;
    if (n_ != 0) return smallest << (n_ & 7);
    return fdc_is_scan(doing_) ? smallest : std::min<std::uint32_t>(smallest, command_[8]);
}

// `offset`: where in the buffer.
void Fdc82077::expect_data(std::uint32_t bytes, std::uint32_t offset) {
    expected_ = bytes;
    data_offset_ = offset;
    passed_ = 0;
    // What the CPU has put into the FIFO is for this sector.
    moved_ = 0;
    if (by_dma()) {
        dma_request_ = !terminal_count_ && expected_ != 0;
        return drive_dma_request();
    }
    if (!fdc_takes_data(doing_)) return;
    moved_ = fifo_count_;
    update_fifo_request();
}

// The data field passes from now on.
void Fdc82077::begin_data() {
    const FloppyTrackLayout places = layout(track_to_write());
    const std::uint32_t length = 128u << (n_ & 7);
    if (doing_ == FdcCommand::Verify) return wait_until(Wait::Data, now() + places.data(length));
    if (by_dma()) {
        wait_until(Wait::Data, now() + places.data(length));
        return expect_data(sector_bytes());
    }
    wait_ = Wait::Data;
    if (expected_ == 0) return wait_until(Wait::Data, now() + places.data(length));
    byte_passes();
}

// A byte in the time of the disk, between FIFO and buffer.
void Fdc82077::byte_passes() {
    if (!disk_turns() || disk_lost_) return waited();
    if (fdc_takes_data(doing_)) {
        if (fifo_count_ == 0) return data_ended();  // too late
        buffer_[passed_++] = fifo_[0];
        std::shift_left(fifo_.begin(), fifo_.end(), 1);
        --fifo_count_;
    } else {
        if (fifo_count_ == fifo_capacity()) return data_ended();
        fifo_[fifo_count_++] = buffer_[passed_++];
    }
    update_fifo_request();
    if (passed_ == expected_) return data_ended();
    constexpr std::uint64_t bits = 8;
    const std::uint64_t rate = track_to_write().bit_rate;
    set_alarm_after(Byte,
                    Duration{static_cast<std::int64_t>(bits * nanoseconds_per_second / rate)});
}

void Fdc82077::end_data() {
    stop_alarm(Byte);
    dma_request_ = false;
    drive_dma_request();
}

// ---- DMA

std::uint32_t Fdc82077::dma_transfer(std::uint32_t direction, std::uint8_t* data,
                                     std::uint32_t length) {
    if (!dma_request_) return 0;
    const bool takes = fdc_takes_data(doing_);
    const bool wrong_way = direction ==
                           (takes ? BACKPLANE_DMA_FROM_DEVICE : BACKPLANE_DMA_TO_DEVICE);
    const std::uint32_t bytes = wrong_way ? 0 : std::min(length, expected_ - moved_);
    std::uint8_t* const place = buffer_.data() + data_offset_ + moved_;
    if (direction == BACKPLANE_DMA_VERIFY) {
        constexpr std::uint8_t floating_bus = 0xff;
        if (takes) std::fill_n(place, bytes, floating_bus);
    } else if (bytes != 0) {
        takes ? std::memcpy(place, data, bytes) : std::memcpy(data, place, bytes);
    }
    moved_ += bytes;
    if (moved_ == expected_ || bytes < length) {
        dma_request_ = false;
        drive_dma_request();
    }
    return bytes;
}

void Fdc82077::terminal_count() {
    if (phase_ == Phase::Execution && doing_ != FdcCommand::FormatTrack) terminal_count_ = true;
    dma_request_ = false;
    drive_dma_request();
}

// ---- The FIFO

std::size_t Fdc82077::fifo_capacity() const {
    return (configuration_ & fifo_disabled) != 0 ? 1 : fifo_size;
}

std::size_t Fdc82077::fifo_threshold() const {
    return (configuration_ & fifo_disabled) != 0 ? 0 : (configuration_ & fifo_threshold_bits) + 1u;
}

// Asked for at the threshold, and until the FIFO is empty or full. (datasheet 4.2.1 and 4.2.2)
void Fdc82077::update_fifo_request() {
    const std::size_t capacity = fifo_capacity(), threshold = fifo_threshold();
    bool may = phase_ == Phase::Execution && !by_dma(), must = false;
    if (fdc_takes_data(doing_)) {
        may = may && moved_ != expected_ && fifo_count_ < capacity;
        must = fifo_count_ <= threshold;
    } else {
        may = may && fifo_count_ != 0;
        must = passed_ == expected_ || fifo_count_ + threshold >= capacity;
    }
    fifo_request_ = may && (must || fifo_request_);
    drive_interrupt();
}

void Fdc82077::push(std::uint8_t value) {
    ++moved_;
    if (doing_ == FdcCommand::FormatTrack)
        buffer_[data_offset_ + moved_ - 1] = value;
    else
        fifo_[fifo_count_++] = value;
    update_fifo_request();
}

std::uint8_t Fdc82077::pop() {
    const std::uint8_t value = fifo_[0];
    std::shift_left(fifo_.begin(), fifo_.end(), 1);
    --fifo_count_;
    ++moved_;
    update_fifo_request();
    if (fifo_count_ == 0 && wait_ == Wait::Host) finish_now();
    return value;
}

}  // namespace backplane::storage
