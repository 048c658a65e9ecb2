// The packet commands of AtapiCdrom that are about the drive: what it is, its tray, its sense.
#include "atapi_cdrom.h"
#include "packet_commands.h"

#include <algorithm>

namespace backplane::storage {

// Commands that succeed whatever the state of the unit. (MMC-5, 4.1.6.1; SPC-3, 5.8.5)
bool AtapiCdrom::run_without_medium() {
    switch (packet8(0)) {
    case packet_command::request_sense: request_sense(); return true;
    case packet_command::inquiry:
        sense_ = {};
        inquiry();
        return true;
    case packet_command::get_configuration:
        sense_ = {};
        get_configuration();
        return true;
    case packet_command::get_event_status_notification:
        sense_ = {};
        get_event_status();
        return true;
    default: return false;
    }
}

void AtapiCdrom::run_with_medium() {
    switch (packet8(0)) {
    case packet_command::prevent_allow_medium_removal: return prevent_removal();
    case packet_command::start_stop_unit: return start_stop();
    case packet_command::mode_sense_6: return mode_sense(false);
    case packet_command::mode_sense_10: return mode_sense(true);
    case packet_command::mode_select_6: return begin_mode_select(false);
    case packet_command::mode_select_10: return begin_mode_select(true);
    case packet_command::mechanism_status: return mechanism_status();
    case packet_command::set_cd_speed: return good();  // all speeds are one
    case packet_command::test_unit_ready:
    case packet_command::read_capacity:
    case packet_command::read_10:
    case packet_command::read_12:
    case packet_command::read_cd:
    case packet_command::read_cd_msf:
    case packet_command::seek_10:
    case packet_command::read_toc:
    case packet_command::read_sub_channel:
    case packet_command::read_disc_information:
    case packet_command::read_track_information:
    case packet_command::read_dvd_structure: break;
    default: return check(sense::invalid_operation_code);
    }
    if (!has_medium())
        return check(tray_open_ ? sense::medium_not_present_tray_open
                                : sense::medium_not_present_tray_closed);
    switch (packet8(0)) {
    case packet_command::test_unit_ready: return good();
    case packet_command::read_capacity: return read_capacity();
    case packet_command::read_10: return begin_read(packet32(2), packet16(7), Parts::data);
    case packet_command::read_12: return begin_read(packet32(2), packet32(6), Parts::data);
    case packet_command::read_cd: return read_cd(packet32(2), packet24(6));
    case packet_command::read_cd_msf: return read_cd_msf();
    case packet_command::seek_10: return seek();
    case packet_command::read_toc: return read_toc();
    case packet_command::read_sub_channel: return read_sub_channel();
    case packet_command::read_disc_information: return read_disc_information();
    case packet_command::read_track_information: return read_track_information();
    default: return read_dvd_structure();
    }
}

// Fixed format. (SPC-3, 4.5.3)
void AtapiCdrom::request_sense() {
    if (sense_ == sense::none) sense_ = std::exchange(attention_, sense::none);
    const auto data = empty_reply(18);
    const bool has_information = sense_ == sense::unrecovered_read_error;
    data[0] = has_information ? 0xf0 : 0x70;
    data[2] = sense_.key;
    if (has_information) put32(data, 3, sense_information_);
    data[7] = 10;
    data[12] = sense_.asc;
    data[13] = sense_.ascq;
    sense_ = {};
    reply(data.size(), packet8(4));
}

void AtapiCdrom::inquiry() {
    if ((packet8(1) & 1) != 0) return inquire_vital_product_data();
    if (packet8(2) != 0) return check(sense::invalid_field_in_packet);
    const auto data = empty_reply(36);
    data[0] = 0x05;  // CD or DVD drive
    data[1] = 0x80;  // removable
    data[3] = 0x32;  // ATAPI; this format of reply
    data[4] = 31;    // bytes that follow
    put_text(data, 8, 8, vendor_);
    put_text(data, 16, 16, model_);
    put_text(data, 32, 4, firmware_);
    reply(data.size(), packet16(3));
}

void AtapiCdrom::inquire_vital_product_data() {
    constexpr std::uint8_t supported = 0x00, unit_serial_number = 0x80, identification = 0x83;
    const std::string serial = text_or_name(serial_).substr(0, 20);
    switch (packet8(2)) {
    case supported: {
        const auto data = empty_reply(7);
        data[0] = 0x05;
        data[3] = 3;
        data[4] = supported, data[5] = unit_serial_number, data[6] = identification;
        return reply(data.size(), packet16(3));
    }
    case unit_serial_number: {
        const auto data = empty_reply(4 + serial.size());
        data[0] = 0x05;
        data[1] = unit_serial_number;
        data[3] = static_cast<std::uint8_t>(serial.size());
        put_text(data, 4, serial.size(), serial);
        return reply(data.size(), packet16(3));
    }
    case identification: {
        // One designator: the vendor, the model and the serial number. (SPC-3, 7.6.3)
        const auto length = 8 + 16 + serial.size();
        const auto data = empty_reply(8 + length);
        data[0] = 0x05;
        data[1] = identification;
        put16(data, 2, static_cast<std::uint32_t>(4 + length));
        data[4] = 0x02;  // ASCII
        data[5] = 0x01;  // of the logical unit, begins with a vendor
        data[7] = static_cast<std::uint8_t>(length);
        put_text(data, 8, 8, vendor_);
        put_text(data, 16, 16, model_);
        put_text(data, 32, serial.size(), serial);
        return reply(data.size(), packet16(3));
    }
    default: return check(sense::invalid_field_in_packet);
    }
}

void AtapiCdrom::prevent_removal() {
    is_locked_ = (packet8(4) & 1) != 0;
    image().lock_medium(is_locked_);
    good();
}

// The image keeps the medium; the tray decides whether the host can see it.
void AtapiCdrom::start_stop() {
    constexpr std::uint8_t start = 0x01, load_eject = 0x02, power_condition = 0xf0;
    constexpr std::uint8_t new_media = 2, media_removal = 3;
    const std::uint8_t how = packet8(4);
    if ((how & power_condition) != 0) return good();
    if ((how & load_eject) == 0) {
        if ((how & start) != 0 && !has_medium())
            return check(tray_open_ ? sense::medium_not_present_tray_open
                                    : sense::medium_not_present_tray_closed);
        return good();
    }
    const bool opens = (how & start) == 0;
    if (opens && is_locked_) return check(sense::medium_removal_prevented);
    if (opens != tray_open_) {
        tray_open_ = opens;
        if (opens)
            media_event_ = media_removal;
        else if (has_medium()) {
            media_event_ = new_media;
            attention_ = sense::medium_may_have_changed;
        }
    }
    good();
}

// (MMC-5, 6.12)
void AtapiCdrom::mechanism_status() {
    const auto data = empty_reply(8);
    data[1] = tray_open_ ? 0x10 : 0x00;
    const std::uint32_t position = position_;
    data[2] = static_cast<std::uint8_t>(position >> 16);
    put16(data, 3, position);
    reply(data.size(), packet16(8));
}

// Only what happened to the medium is told, and only when asked. (MMC-5, 6.7)
void AtapiCdrom::get_event_status() {
    constexpr std::uint8_t media_class = 4, media_bit = 1 << media_class;
    constexpr std::uint8_t polled = 0x01, no_event_available = 0x80;
    constexpr std::uint8_t tray_open = 0x01, media_present = 0x02;
    if ((packet8(1) & polled) == 0) return check(sense::invalid_field_in_packet);
    const bool wanted = (packet8(4) & media_bit) != 0;
    const auto data = empty_reply(wanted ? 8 : 4);
    put16(data, 0, wanted ? 6 : 2);
    data[2] = wanted ? media_class : no_event_available;
    data[3] = media_bit;
    if (wanted) {
        data[4] = std::exchange(media_event_, std::uint8_t{0});
        data[5] = static_cast<std::uint8_t>((tray_open_ ? tray_open : 0) |
                                            (has_medium() ? media_present : 0));
    }
    reply(data.size(), packet16(7));
}

}  // namespace backplane::storage
