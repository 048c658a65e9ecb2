#include "dma8237.h"

#include <algorithm>

namespace backplane::chipset {

namespace {

using namespace std::chrono_literals;

using Mode = Dma8237Channel::Mode;
using Transfer = Dma8237Channel::Transfer;

// Where the 74LS612 at port 0x80 has the page of each channel.
constexpr std::array<std::uint8_t, Dma8237::channels> page_of{7, 3, 1, 2, 15, 11, 9, 10};
// A transfer on the ISA bus takes about this long.
constexpr Duration transfer_time = 1us;
constexpr std::size_t most_at_once = 4096;  // bytes
constexpr std::uint8_t floating_bus = 0xff;

constexpr backplane_dma_channel channel_functions{
    sizeof(backplane_dma_channel), 0, thunk<&Dma8237::Channel::attach>,
    thunk<&Dma8237::Channel::request>, thunk<&Dma8237::Channel::width>};

constexpr std::array register_names{"CHANNEL0 ADDRESS",   "CHANNEL0 COUNT",
                                    "CHANNEL1 ADDRESS",   "CHANNEL1 COUNT",
                                    "CHANNEL2 ADDRESS",   "CHANNEL2 COUNT",
                                    "CHANNEL3 ADDRESS",   "CHANNEL3 COUNT",
                                    "STATUS/COMMAND",     "REQUEST",
                                    "SINGLE MASK",        "MODE",
                                    "CLEAR BYTE POINTER", "TEMPORARY/MASTER CLEAR",
                                    "CLEAR MASK",         "ALL MASK"};

}  // namespace

void Dma8237::declare(Declaration<Dma8237>& d) {
    d.type("chipset.dma8237", "DMA of the ISA bus: two 8237A controllers and page registers");
    auto first = d.port_window<&Dma8237::read<0>, &Dma8237::write<0>>(
        "first", 16, "Channels 0 to 3, of bytes, at port 0x00", 1);
    auto second = d.port_window<&Dma8237::read<1>, &Dma8237::write<1>>(
        "second", 32, "Channels 4 to 7, of words, at port 0xC0, each register twice", 1);
    for (unsigned reg = 0; reg < register_names.size(); ++reg) {
        first.reg(reg, register_names[reg], "See the 8237A data sheet");
        second.reg(std::uint64_t{reg} * 2, register_names[reg], "See the 8237A data sheet");
    }
    d.port_window<&Dma8237::read_page, &Dma8237::write_page>(
         "pages", 16, "Address bits 16 to 23 of each channel, at port 0x80", 1)
        .reg(0x7, "PAGE0", "Of channel 0")
        .reg(0x3, "PAGE1", "Of channel 1")
        .reg(0x1, "PAGE2", "Of channel 2")
        .reg(0x2, "PAGE3", "Of channel 3")
        .reg(0xb, "PAGE5", "Of channel 5; bit 0 is not used")
        .reg(0x9, "PAGE6", "Of channel 6; bit 0 is not used")
        .reg(0xa, "PAGE7", "Of channel 7; bit 0 is not used")
        .reg(0xf, "PAGE REFRESH", "Of memory refresh");
    d.provides_each<backplane_dma_channel, &Dma8237::channel_link>(
        "channels", channels, "DREQ and DACK of each channel; 4 is taken by the first controller");
    d.address_space("memory", &Dma8237::memory_, "What is read and written");
    d.timer<&Dma8237::go_on>("again", &Dma8237::again_);
    d.counter("bytes", &Dma8237::bytes_, "bytes", "Moved between devices and memory");
    d.counter("blocks", &Dma8237::blocks_, "blocks", "Terminal counts");
    for (unsigned which = 0; which < 2; ++which) {
        const std::string name = which == 0 ? "first." : "second.";
        const auto save = [&](const char* field, auto member) {
            d.saved(name + field, [which, member](Dma8237& dma) -> auto& {
                return dma.controllers_[which].*member;
            });
        };
        save("command", &Dma8237Controller::command);
        save("request", &Dma8237Controller::request);
        save("mask", &Dma8237Controller::mask);
        save("temporary", &Dma8237Controller::temporary);
        save("terminal-count", &Dma8237Controller::reached);
        save("device-request", &Dma8237Controller::device_request);
        save("lowest-priority", &Dma8237Controller::lowest);
        save("byte-pointer", &Dma8237Controller::second_byte);
        for (unsigned number = 0; number < 4; ++number) {
            const auto save_channel = [&](const char* field, auto member) {
                d.saved(name + std::to_string(number) + "." + field,
                        [which, number, member](Dma8237& dma) -> auto& {
                            return dma.controllers_[which].channel[number].*member;
                        });
            };
            save_channel("base-address", &Dma8237Channel::base_address);
            save_channel("base-count", &Dma8237Channel::base_count);
            save_channel("address", &Dma8237Channel::address);
            save_channel("count", &Dma8237Channel::count);
            save_channel("mode", &Dma8237Channel::mode);
        }
    }
    d.saved("pages", &Dma8237::pages_);
    d.saved("held-until", &Dma8237::held_until_);
}

// RESET is a master clear; addresses, counts and pages keep what they have. So do the devices'
// requests: they withdraw them when they are reset themselves.
void Dma8237::reset(ResetKind kind) {
    if (kind == ResetKind::PowerOn) {
        for (auto& controller : controllers_) {
            controller.channel = {};
            controller.device_request = 0;
        }
        pages_ = {};
    }
    for (auto& controller : controllers_)
        controller.master_clear();
    held_until_ = {};
    again_.stop();
}

backplane_link Dma8237::channel_link(unsigned number) {
    links_[number] = {this, number};
    return {&channel_functions, &links_[number]};
}

// ---- Registers ----

template <unsigned which>
std::uint64_t Dma8237::read(std::uint64_t offset, unsigned) {
    return controllers_[which].read(static_cast<unsigned>(offset >> which));
}

template <unsigned which>
void Dma8237::write(std::uint64_t offset, unsigned, std::uint64_t value) {
    controllers_[which].write(static_cast<unsigned>(offset >> which),
                              static_cast<std::uint8_t>(value));
    serve();
}

std::uint64_t Dma8237::read_page(std::uint64_t offset, unsigned) const { return pages_[offset]; }

void Dma8237::write_page(std::uint64_t offset, unsigned, std::uint64_t value) {
    pages_[offset] = static_cast<std::uint8_t>(value);
}

// Channels of words count in words, so their page holds bits 17 to 23.
std::uint64_t Dma8237::address(unsigned number) const {
    const std::uint64_t low = controllers_[number / 4].channel[number % 4].address;
    const std::uint64_t page = pages_[page_of[number]];
    return number < 4 ? page << 16 | low : (page & 0xfe) << 16 | low << 1;
}

// ---- Arbitration ----

void Dma8237::request(unsigned number, bool level) {
    auto& requests = controllers_[number / 4].device_request;
    const auto bit = static_cast<std::uint8_t>(1u << number % 4);
    requests = static_cast<std::uint8_t>(level ? requests | bit : requests & ~bit);
    if (level) serve();
}

// Channels that could go, as bits.
unsigned Dma8237::waiting(unsigned which) const {
    const auto& controller = controllers_[which];
    if (controller.is_disabled()) return 0;
    // Software requests cannot be masked.
    unsigned ready = controller.request | (controller.device_request & ~controller.mask & 0xfu);
    for (unsigned number = 0; number < Dma8237Controller::channels; ++number)
        if (controller.channel[number].transfer_mode() == Mode::Cascade ||
            now() < held_until_[which * 4 + number])
            ready &= ~(1u << number);
    return ready;
}

void Dma8237::serve() {
    if (serving_) return;  // a device asks for more from within its transfer
    serving_ = true;
    const auto& second = controllers_[1];
    const auto passes_first_on = [&second] {
        return !second.is_disabled() && !second.is_masked(0) &&
               second.channel[0].transfer_mode() == Mode::Cascade;
    };
    while ((passes_first_on() && serve_next(0)) || serve_next(1)) {
    }
    serving_ = false;
    Duration next = Duration::max();
    for (const Duration until : held_until_)
        if (until > now()) next = std::min(next, until);
    if (next == Duration::max())
        again_.stop();
    else
        again_.start_at(next);
}

void Dma8237::go_on() { serve(); }

bool Dma8237::serve_next(unsigned which) {
    auto& controller = controllers_[which];
    const auto number = controller.next(waiting(which));
    if (!number) return false;
    controller.served(*number);
    if (which == 0 && *number == 0 && controller.moves_memory())
        move_memory();
    else
        transfer(which * 4 + *number);
    return true;
}

// ---- Transfers ----

// In block mode, and when the program asked, everything is moved whether the device takes part or
// not: what it leaves out is the floating bus.
bool Dma8237::moves_whole_block(unsigned number) const {
    const auto& controller = controllers_[number / 4];
    return controller.channel[number % 4].transfer_mode() == Mode::Block ||
           controller.is_requested_by_software(number % 4);
}

// Until the device wants no more or terminal count, in pieces that are contiguous in memory.
void Dma8237::transfer(unsigned number) {
    auto& controller = controllers_[number / 4];
    auto& moved = channel(number);
    const std::uint32_t whole = moved.left();
    const bool whole_block = moves_whole_block(number);
    for (std::uint32_t done = 0; done < whole;) {
        const std::uint32_t to_edge = moved.decrements() ? moved.address + 1u
                                                         : 0x10000u - moved.address;
        const std::uint32_t most = static_cast<std::uint32_t>(most_at_once) / width(number);
        const std::uint32_t wanted = std::min({whole - done, to_edge, most});
        std::uint32_t transferred = transfer_run(number, wanted);
        moved.advance(transferred);
        done += transferred;
        if (transferred < wanted) {
            request(number, false);
            return;
        }
        const bool requested = (controller.device_request >> number % 4 & 1) != 0;
        if (done < whole && !whole_block && !requested) return;
    }
    finish(number, whole);
}

// How many transfers were made of those that are wanted.
std::uint32_t Dma8237::transfer_run(unsigned number, std::uint32_t transfers) {
    const auto& moved = channel(number);
    const std::uint32_t bytes = transfers * width(number), step = width(number);
    const bool down = moved.decrements();
    const std::uint64_t start = address(number) - (down ? bytes - step : 0);
    std::array<std::uint8_t, most_at_once> buffer;
    const std::span data{buffer.data(), bytes};
    // Downwards the first transfer is at the end.
    const auto turn = [&] {
        for (std::uint32_t low = 0, high = bytes - step; low < high; low += step, high -= step)
            std::swap_ranges(data.begin() + low, data.begin() + low + step, data.begin() + high);
    };
    const bool whole_block = moves_whole_block(number);
    const auto done_by_device = [&](std::uint32_t length) {
        return whole_block ? bytes : std::min(length, bytes) / step * step;
    };
    if (moved.transfer() == Transfer::Read) {
        memory_.read(start, std::as_writable_bytes(data));
        if (down) turn();
        const std::uint32_t done = done_by_device(call_device(number, data, bytes));
        bytes_ += done;
        return done / step;
    }
    if (moved.transfer() == Transfer::Write) {
        std::ranges::fill(data, floating_bus);
        const std::uint32_t done = done_by_device(call_device(number, data, bytes));
        bytes_ += done;
        if (!down) {
            memory_.write(start, std::as_bytes(data.first(done)));
        } else {
            turn();
            memory_.write(start + (bytes - done), std::as_bytes(data.last(done)));
        }
        return done / step;
    }
    return done_by_device(call_device(number, {}, bytes)) / step;
}

std::uint32_t Dma8237::call_device(unsigned number, std::span<std::uint8_t> data,
                                   std::uint32_t length) const {
    const auto& device = devices_[number];
    if (device.transfer == nullptr) return length;
    const Transfer kind = controllers_[number / 4].channel[number % 4].transfer();
    const std::uint32_t direction = kind == Transfer::Write  ? BACKPLANE_DMA_FROM_DEVICE
                                    : kind == Transfer::Read ? BACKPLANE_DMA_TO_DEVICE
                                                             : BACKPLANE_DMA_VERIFY;
    return device.transfer(device.user, direction, data.empty() ? nullptr : data.data(), length);
}

// Channel 0 reads, channel 1 writes, byte by byte through the temporary register, as often as
// channel 1 counts. Each has its page, which on the first PCs they had not.
void Dma8237::move_memory() {
    auto& controller = controllers_[0];
    auto& source = controller.channel[0];
    auto& target = controller.channel[1];
    const std::uint32_t whole = target.left();
    for (std::uint32_t done = 0; done < whole; ++done) {
        controller.temporary = memory_.read<std::uint8_t>(address(0));
        memory_.write(address(1), controller.temporary);
        if (!controller.holds_source()) source.advance(1);
        target.advance(1);
    }
    bytes_ += whole;
    controller.request &= static_cast<std::uint8_t>(~1u);
    if (source.autoinitializes()) {
        source.address = source.base_address;
        source.count = source.base_count;
    }
    // A DREQ that stays begins it again.
    if ((controller.device_request & 1) != 0) held_until_[0] = now() + transfer_time * whole;
    finish(1, whole);
}

void Dma8237::finish(unsigned number, std::uint32_t transfers) {
    controllers_[number / 4].terminal_count(number % 4);
    ++blocks_;
    if (channel(number).autoinitializes()) held_until_[number] = now() + transfer_time * transfers;
    const auto& device = devices_[number];
    if (device.terminal_count != nullptr) device.terminal_count(device.user);
}

}  // namespace backplane::chipset
