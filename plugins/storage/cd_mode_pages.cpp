// MODE SENSE and MODE SELECT of AtapiCdrom. (MMC-5, 6.8, 6.9 and chapter 7; SFF-8020i, 10.8)
#include "atapi_cdrom.h"

#include <algorithm>
#include <array>

namespace backplane::storage {

namespace {

namespace mode_page {
constexpr std::uint8_t error_recovery = 0x01, cd_parameters = 0x0d, audio_control = 0x0e,
                       power_condition = 0x1a, capabilities = 0x2a, all = 0x3f;
}

constexpr std::array pages{mode_page::error_recovery, mode_page::cd_parameters,
                           mode_page::audio_control, mode_page::power_condition,
                           mode_page::capabilities};

}  // namespace

// Puts the page's values, or a mask of what MODE SELECT changes, at this place of the reply; gives
// its size.
std::size_t AtapiCdrom::put_page(std::size_t at, std::uint8_t page, bool changeable) {
    constexpr std::uint32_t speed = 706 * 8;  // kilobytes per second, of 32 times
    const auto begin = [&](std::size_t size) {
        const auto bytes_of_page = bytes().subspan(at, size);
        std::ranges::fill(bytes_of_page, std::uint8_t{0});
        bytes_of_page[0] = page;
        bytes_of_page[1] = static_cast<std::uint8_t>(size - 2);
        return bytes_of_page;
    };
    switch (page) {
    case mode_page::error_recovery: {
        const auto p = begin(8);
        p[2] = changeable ? 0xff : recovery_;
        p[3] = changeable ? 0xff : retries_;
        return p.size();
    }
    case mode_page::cd_parameters: {
        const auto p = begin(8);
        if (changeable) return p.size();
        p[5] = 60;  // seconds of a minute
        p[7] = 75;  // frames of a second
        return p.size();
    }
    case mode_page::audio_control: {
        const auto p = begin(16);
        if (changeable) return p.size();
        p[2] = 0x04;  // immediate
        p[8] = 1, p[9] = 0xff;
        p[10] = 2, p[11] = 0xff;
        return p.size();
    }
    case mode_page::power_condition: return begin(12).size();
    default: {
        const auto p = begin(20);
        if (changeable) return p.size();
        p[2] = 0x3b;  // reads CD-R, CD-RW, DVD-ROM, DVD-R, DVD-RAM
        p[4] = 0x40;  // reads several sessions
        // A tray that ejects and locks
        p[6] = static_cast<std::uint8_t>(0x29 | (is_locked_ ? 0x02 : 0));
        put16(p, 8, speed);
        put16(p, 10, 2);    // volume levels
        put16(p, 12, 512);  // kilobytes of buffer
        put16(p, 14, speed);
        return p.size();
    }
    }
}

void AtapiCdrom::mode_sense(bool is_long) {
    constexpr unsigned changeable = 1, saved = 3;
    const unsigned control = packet8(2) >> 6;
    const std::uint8_t page = packet8(2) & 0x3f;
    if (control == saved) return check(sense::saving_parameters_not_supported);
    if (packet8(3) != 0) return check(sense::invalid_field_in_packet);  // no subpages
    if (page != mode_page::all && std::ranges::find(pages, page) == pages.end())
        return check(sense::invalid_field_in_packet);

    // What is in the tray, as older hosts know it.
    constexpr std::uint8_t data_disc = 0x01, no_disc = 0x70, door_open = 0x71;
    const std::uint8_t medium = tray_open_ ? door_open : (has_medium() ? data_disc : no_disc);
    std::size_t at = is_long ? 8 : 4;
    const auto header = empty_reply(at);
    header[is_long ? 2 : 1] = medium;
    for (const std::uint8_t each : pages)
        if (page == mode_page::all || page == each) at += put_page(at, each, control == changeable);
    if (is_long)
        put16(bytes(), 0, static_cast<std::uint32_t>(at - 2));
    else
        bytes()[0] = static_cast<std::uint8_t>(at - 1);
    reply(at, is_long ? packet16(7) : packet8(4));
}

void AtapiCdrom::begin_mode_select(bool is_long) {
    constexpr std::uint8_t page_format = 0x10, save_pages = 0x01;
    const std::size_t length = is_long ? packet16(7) : packet8(4);
    if ((packet8(1) & page_format) == 0 || (packet8(1) & save_pages) != 0)
        return check(sense::invalid_field_in_packet);
    if (length == 0) return good();
    if (length < (is_long ? 8u : 4u) || length > buffer_size)
        return check(sense::parameter_list_length_error);
    moved_ = 0;
    take_parameters(length);
}

void AtapiCdrom::apply_parameters() {
    const bool is_long = packet8(0) == 0x55;
    const auto list = bytes().first(filled_);
    const std::size_t block_descriptors = is_long ? std::size_t{list[6]} << 8 | list[7] : list[3];
    std::size_t at = (is_long ? 8u : 4u) + block_descriptors;
    if (at > list.size()) return check(sense::parameter_list_length_error);
    std::uint8_t recovery = recovery_, retries = retries_;
    while (at < list.size()) {
        if (list.size() - at < 2 || list.size() - at < 2u + list[at + 1])
            return check(sense::parameter_list_length_error);
        const auto page = list.subspan(at, 2u + list[at + 1]);
        const std::uint8_t code = page[0] & 0x3f;
        if (std::ranges::find(pages, code) == pages.end() || page.size() < 4)
            return check(sense::invalid_field_in_parameters);
        if (code == mode_page::error_recovery) {
            if (page.size() != 8) return check(sense::invalid_field_in_parameters);
            recovery = page[2], retries = page[3];
        }
        at += page.size();
    }
    recovery_ = recovery, retries_ = retries;
    good();
}

}  // namespace backplane::storage
