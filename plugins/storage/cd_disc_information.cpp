// The packet commands of AtapiCdrom that describe the medium, and what the drive can do with it.
#include "atapi_cdrom.h"

#include <algorithm>
#include <array>

namespace backplane::storage {

namespace {

constexpr std::uint8_t lead_out = 0xaa;
// Of an entry of a table of contents: position data, and a data track without copy protection.
constexpr std::uint8_t data_track = 0x14;

}  // namespace

void AtapiCdrom::put_address(std::span<std::uint8_t> place, std::uint32_t block,
                             bool as_time) const {
    if (!as_time) return put32(place, 0, block);
    const CdAddress address = CdAddress::of_block(block);
    place[0] = 0;
    place[1] = address.minute;
    place[2] = address.second;
    place[3] = address.frame;
}

void AtapiCdrom::read_capacity() {
    const auto data = empty_reply(8);
    put32(data, 0, blocks() - 1);
    put32(data, 4, block_size);
    reply(data.size(), data.size());
}

// (MMC-5, 6.26) In SFF-8020i the format was in the last byte.
void AtapiCdrom::read_toc() {
    const bool as_time = (packet8(1) & 0x02) != 0;
    unsigned format = packet8(2) & 0xf;
    if (format == 0) format = packet8(9) >> 6;
    const std::uint8_t first = packet8(6);
    const std::size_t allocated = packet16(7);
    switch (format) {
    case 0: {
        if (first > 1 && first != lead_out) return check(sense::invalid_field_in_packet);
        const bool has_track = first <= 1;
        const auto data = empty_reply(has_track ? 20 : 12);
        put16(data, 0, static_cast<std::uint32_t>(data.size() - 2));
        data[2] = data[3] = 1;
        std::size_t at = 4;
        if (has_track) {
            data[at + 1] = data_track;
            data[at + 2] = 1;
            put_address(data.subspan(at + 4), 0, as_time);
            at += 8;
        }
        data[at + 1] = data_track;
        data[at + 2] = lead_out;
        put_address(data.subspan(at + 4), blocks(), as_time);
        return reply(data.size(), allocated);
    }
    case 1: {  // sessions
        const auto data = empty_reply(12);
        put16(data, 0, 10);
        data[2] = data[3] = 1;
        data[5] = data_track;
        data[6] = 1;
        put_address(data.subspan(8), 0, as_time);
        return reply(data.size(), allocated);
    }
    case 2: {  // as in the lead-in, always as time: first track, last track, lead-out, track 1
        if (first > 1) return check(sense::invalid_field_in_packet);
        const auto data = empty_reply(4 + 4 * 11);
        put16(data, 0, static_cast<std::uint32_t>(data.size() - 2));
        data[2] = data[3] = 1;
        constexpr std::array<std::uint8_t, 4> points{0xa0, 0xa1, 0xa2, 0x01};
        for (std::size_t index = 0; index < points.size(); ++index) {
            const auto entry = data.subspan(4 + index * 11, 11);
            entry[0] = 1;
            entry[1] = data_track;
            entry[3] = points[index];
            if (points[index] == 0xa0 || points[index] == 0xa1) {
                entry[8] = 1;
                continue;
            }
            const auto address = CdAddress::of_block(points[index] == 0xa2 ? blocks() : 0);
            entry[8] = address.minute, entry[9] = address.second, entry[10] = address.frame;
        }
        return reply(data.size(), allocated);
    }
    default: return check(sense::invalid_field_in_packet);
    }
}

// (MMC-5, 6.25)
void AtapiCdrom::read_sub_channel() {
    constexpr std::uint8_t no_audio_status = 0x15, subq = 0x40;
    constexpr std::uint8_t position = 1, catalogue_number = 2, recording_code = 3;
    const bool as_time = (packet8(1) & 0x02) != 0;
    const std::size_t allocated = packet16(7);
    if ((packet8(2) & subq) == 0) {
        empty_reply(4)[1] = no_audio_status;
        return reply(4, allocated);
    }
    const std::uint8_t format = packet8(3);
    if (format == position) {
        const auto data = empty_reply(16);
        data[1] = no_audio_status;
        put16(data, 2, 12);
        data[4] = position;
        data[5] = data_track;
        data[6] = data[7] = 1;  // track, index
        put_address(data.subspan(8), position_, as_time);
        put_address(data.subspan(12), position_, as_time);
        return reply(data.size(), allocated);
    }
    if (format != catalogue_number && format != recording_code)
        return check(sense::invalid_field_in_packet);
    const auto data = empty_reply(24);
    data[1] = no_audio_status;
    put16(data, 2, 20);
    data[4] = format;  // there is no such number
    if (format == recording_code) data[5] = data_track, data[6] = 1;
    reply(data.size(), allocated);
}

// (MMC-5, 6.22)
void AtapiCdrom::read_disc_information() {
    if ((packet8(1) & 7) != 0) return check(sense::invalid_field_in_packet);
    const auto data = empty_reply(34);
    put16(data, 0, 32);
    data[2] = 0x0e;                   // the disc and its last session are complete
    data[3] = 1;                      // first track
    data[4] = data[5] = data[6] = 1;  // sessions; first and last track of the last
    data[7] = 0x20;                   // unrestricted use
    put32(data, 16, 0xffffffff);      // no further session
    put32(data, 20, 0xffffffff);
    reply(data.size(), packet16(7));
}

// (MMC-5, 6.27) Track 1 is all there is.
void AtapiCdrom::read_track_information() {
    const std::uint32_t what = packet32(2);
    switch (packet8(1) & 3) {
    case 0:  // the track with this block
        if (what >= blocks()) return check(sense::block_address_out_of_range);
        break;
    default:
        if (what != 1) return check(sense::invalid_field_in_packet);
    }
    const auto data = empty_reply(36);
    put16(data, 0, 34);
    data[2] = data[3] = 1;  // track, session
    data[5] = 0x04;         // a data track
    data[6] = 0x01;         // of mode 1
    put32(data, 24, blocks());
    reply(data.size(), packet16(7));
}

// (MMC-5, 6.23)
void AtapiCdrom::read_dvd_structure() {
    constexpr std::uint8_t physical = 0x00, copyright = 0x01, manufacturer = 0x04, list = 0xff;
    constexpr std::size_t header = 4;
    const std::size_t allocated = packet16(8);
    if ((packet8(1) & 0xf) != 0) return check(sense::invalid_field_in_packet);
    const std::uint8_t format = packet8(7);
    if (format == list) {
        constexpr std::array formats{physical, copyright, manufacturer, list};
        const auto data = empty_reply(header + formats.size() * 4);
        put16(data, 0, static_cast<std::uint32_t>(data.size() - 2));
        for (std::size_t index = 0; index < formats.size(); ++index) {
            const auto entry = data.subspan(header + index * 4, 4);
            entry[0] = formats[index];
            entry[1] = 0x40;  // readable
            const std::uint32_t length = formats[index] == copyright ? 6 : 2050;
            put16(entry, 2,
                  formats[index] == list ? static_cast<std::uint32_t>(data.size() - 2) : length);
        }
        return reply(data.size(), allocated);
    }
    if (!is_dvd()) return check(sense::incompatible_format);
    if (packet8(6) != 0) return check(sense::invalid_field_in_packet);  // one layer
    switch (format) {
    case physical: {
        constexpr std::uint32_t first_sector = 0x30000;
        const auto data = empty_reply(header + 2048);
        put16(data, 0, 2050);
        data[4] = 0x01;  // DVD-ROM
        data[5] = 0x0f;  // 120 mm, any rate
        data[6] = 0x01;  // one layer, embossed data
        put32(data, 8, first_sector);
        put32(data, 12, first_sector + blocks() - 1);
        return reply(data.size(), allocated);
    }
    case copyright: {
        const auto data = empty_reply(header + 4);  // none; all regions
        put16(data, 0, 6);
        return reply(data.size(), allocated);
    }
    case manufacturer: {
        const auto data = empty_reply(header + 2048);
        put16(data, 0, 2050);
        return reply(data.size(), allocated);
    }
    default: return check(sense::invalid_field_in_packet);
    }
}

// (MMC-5, 6.6 and 5.3) Features by number; which of them hold now depends on the medium.
void AtapiCdrom::get_configuration() {
    constexpr std::uint16_t cd_rom = 0x0008, dvd_rom = 0x0010;
    constexpr std::uint8_t persistent = 2, current = 1;
    const unsigned wanted = packet8(1) & 3;
    if (wanted == 3) return check(sense::invalid_field_in_packet);
    const std::uint16_t from = packet16(2);
    const bool cd = has_medium() && !is_dvd(), dvd = has_medium() && is_dvd();

    const auto data = empty_reply(128);
    std::size_t at = 8;
    const auto feature = [&](std::uint16_t code, unsigned version, bool is_persistent,
                             bool is_current, std::initializer_list<int> content) {
        const bool asked = wanted == 2 ? code == from : code >= from;
        if (!asked || (wanted == 1 && !is_current)) return;
        put16(data, at, code);
        data[at + 2] = static_cast<std::uint8_t>(version << 2 | (is_persistent ? persistent : 0) |
                                                 (is_current ? current : 0));
        data[at + 3] = static_cast<std::uint8_t>(content.size());
        at += 4;
        for (const int byte : content)
            data[at++] = static_cast<std::uint8_t>(byte);
    };
    feature(0x0000, 0, true, true,
            {dvd_rom >> 8, dvd_rom & 0xff, dvd, 0, cd_rom >> 8, cd_rom & 0xff, cd, 0});
    feature(0x0001, 2, true, true, {0, 0, 0, 2, 1, 0, 0, 0});  // core: ATAPI, device busy event
    feature(0x0002, 1, true, true, {0x02, 0, 0, 0});           // morphing: medium events
    feature(0x0003, 0, true, true, {0x39, 0, 0, 0});  // removable: tray, ejects, loads, locks
    feature(0x0010, 0, false, cd || dvd, {0, 0, 8, 0, 0, 1, 0, 0});  // random readable
    feature(0x001d, 0, false, cd, {});                               // reads any part of a sector
    feature(0x001e, 2, false, cd, {0, 0, 0, 0});                     // CD read
    feature(0x001f, 0, false, dvd, {});                              // DVD read
    feature(0x0100, 0, true, true, {});                              // power management
    feature(0x0105, 0, true, true, {});                              // timeout

    put32(data, 0, static_cast<std::uint32_t>(at - 4));
    put16(data, 6, dvd ? dvd_rom : (cd ? cd_rom : 0));
    reply(at, packet16(7));
}

}  // namespace backplane::storage
