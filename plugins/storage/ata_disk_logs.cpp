// What AtaDisk tells of its health: the logs, of which the host needs one after a queued command
// failed, and SMART. (ACS-3, 7.24 and annex A; ATA8-ACS, 7.53)
#include "ata_commands.h"
#include "ata_disk.h"

#include <algorithm>
#include <array>
#include <numeric>

namespace backplane::storage {

namespace {

constexpr std::size_t page_size = 512;

namespace log_address {
constexpr std::uint8_t directory = 0x00;
constexpr std::uint8_t summary_error = 0x01;  // SMART
constexpr std::uint8_t self_test = 0x06;      // SMART
constexpr std::uint8_t queued_error = 0x10;
}  // namespace log_address

namespace smart {
constexpr std::uint8_t read_data = 0xd0, read_thresholds = 0xd1, attribute_autosave = 0xd2,
                       save_attributes = 0xd3, execute_off_line = 0xd4, read_log = 0xd5,
                       enable = 0xd8, disable = 0xd9, return_status = 0xda;
constexpr std::uint64_t key = 0xc24f00;  // LBA mid and high of each command
}  // namespace smart

// Attributes by the numbers that makers have agreed on.
struct Attribute {
    std::uint8_t id;
    std::uint16_t flags;  // 1: below its threshold the disk is about to fail; 2: kept up to date
    std::uint8_t threshold;
    std::uint64_t raw;
};

void put16(std::span<std::uint8_t> bytes, std::size_t at, std::uint64_t value) {
    bytes[at] = static_cast<std::uint8_t>(value);
    bytes[at + 1] = static_cast<std::uint8_t>(value >> 8);
}

// The last byte makes the sum of all zero.
void finish_page(std::span<std::uint8_t> page) {
    page[page_size - 1] = 0;
    page[page_size - 1] = static_cast<std::uint8_t>(
        -std::accumulate(page.begin(), page.begin() + page_size, 0u));
}

}  // namespace

// The first `pages` of the buffer go to the host.
void AtaDisk::send_page(std::uint32_t pages, Protocol protocol) {
    task_ = Task::SendPages;
    protocol_ = protocol;
    block_ = 1;
    batch_ = pages;
    moved_ = 0;
    offer_block(true);
}

// (ACS-3, 7.24) The page is in the middle bytes of both halves of the address.
void AtaDisk::read_log(Protocol protocol) {
    const auto log = static_cast<std::uint8_t>(command().lba);
    const std::uint64_t page = (command().lba >> 8 & 0xff) | (command().lba >> 24 & 0xff00);
    const bool is_queued_error = log == log_address::queued_error && is_serial();
    if ((log != log_address::directory && !is_queued_error) || page != 0 || command().count != 1)
        return fail(ata_error::abrt);
    put_log_page(bytes().first(page_size), log);
    if (is_queued_error) queue_has_failed_ = false;
    send_page(1, protocol);
}

void AtaDisk::put_log_page(std::span<std::uint8_t> page, std::uint8_t log) const {
    std::ranges::fill(page, std::uint8_t{0});
    if (log == log_address::directory) {
        page[0] = 1;  // version
        if (is_serial()) page[std::size_t{log_address::queued_error} * 2] = 1;
        return;
    }
    std::ranges::copy(queue_failure_, page.begin());
    finish_page(page);
}

void AtaDisk::run_smart() {
    const auto subcommand = static_cast<std::uint8_t>(command().features);
    if ((command().lba & 0xffff00) != smart::key) return fail(ata_error::abrt);
    if (!smart_ && subcommand != smart::enable) return fail(ata_error::abrt);
    switch (subcommand) {
    case smart::read_data: return read_smart_data();
    case smart::read_thresholds: return read_smart_thresholds();
    case smart::attribute_autosave: {
        constexpr std::uint8_t off = 0x00, on = 0xf1;
        const auto wanted = static_cast<std::uint8_t>(command().count);
        if (wanted != off && wanted != on) return fail(ata_error::abrt);
        smart_autosave_ = wanted == on;
        return complete();
    }
    case smart::save_attributes: return complete();
    case smart::execute_off_line: {
        // Off-line collection, short and extended self-test, here or in the background: nothing can
        // be wrong, so they end at once. 0x7f ends one that goes on.
        const auto test = static_cast<std::uint8_t>(command().lba);
        const std::uint8_t kind = test & 0x7f;
        if (kind > 2 && test != 0x7f) return fail(ata_error::abrt);
        if (kind == 1 || kind == 2) {
            self_test_ = test;
            self_test_hours_ = static_cast<std::uint16_t>(power_on_hours());
        }
        return complete();
    }
    case smart::read_log: return read_smart_log();
    case smart::enable: smart_ = true; return complete();
    case smart::disable: smart_ = false; return complete();
    case smart::return_status: return complete();  // the key as it came: no threshold is exceeded
    default: return fail(ata_error::abrt);
    }
}

namespace {

constexpr std::size_t attributes = 4;

std::array<Attribute, attributes> health(std::uint64_t hours, std::uint64_t uncorrectable) {
    return {{{5, 0x33, 10, 0},                 // reallocated sectors
             {9, 0x32, 0, hours},              // power-on hours
             {12, 0x32, 0, 1},                 // power cycles
             {187, 0x32, 0, uncorrectable}}};  // reported uncorrectable errors
}

}  // namespace

void AtaDisk::read_smart_data() {
    const auto page = bytes().first(page_size);
    std::ranges::fill(page, std::uint8_t{0});
    page[0] = 0x10;  // structure revision
    std::size_t at = 2;
    for (const Attribute& attribute : health(power_on_hours(), uncorrectable_)) {
        page[at] = attribute.id;
        put16(page, at + 1, attribute.flags);
        page[at + 3] = page[at + 4] = 100;  // now, and at worst
        for (unsigned byte = 0; byte < 6; ++byte)
            page[at + 5 + byte] = static_cast<std::uint8_t>(attribute.raw >> (byte * 8));
        at += 12;
    }
    page[362] = smart_autosave_ ? 0x82 : 0x02;  // off-line collection completed
    page[367] = 0x11;                           // off-line collection, self-tests
    page[368] = 0x03;                           // attributes are saved
    page[370] = 0x01;                           // error log
    page[372] = page[373] = 1;                  // minutes that the self-tests take at most
    finish_page(page);
    send_page(1, Protocol::Pio);
}

void AtaDisk::read_smart_thresholds() {
    const auto page = bytes().first(page_size);
    std::ranges::fill(page, std::uint8_t{0});
    page[0] = 0x10;
    std::size_t at = 2;
    for (const Attribute& attribute : health(0, 0)) {
        page[at] = attribute.id;
        page[at + 1] = attribute.threshold;
        at += 12;
    }
    finish_page(page);
    send_page(1, Protocol::Pio);
}

void AtaDisk::read_smart_log() {
    const auto page = bytes().first(page_size);
    std::ranges::fill(page, std::uint8_t{0});
    if ((command().count & 0xff) != 1) return fail(ata_error::abrt);
    switch (command().lba & 0xff) {
    case log_address::directory:
        page[0] = 1;
        page[std::size_t{log_address::summary_error} * 2] = 1;
        page[std::size_t{log_address::self_test} * 2] = 1;
        return send_page(1, Protocol::Pio);
    case log_address::summary_error:
        page[0] = 1;  // version; no errors have been noted
        break;
    case log_address::self_test:
        page[0] = 1;
        if (self_test_ != 0) {
            page[2] = self_test_;
            put16(page, 4, self_test_hours_);
            page[508] = 1;  // the newest descriptor
        }
        break;
    default: return fail(ata_error::idnf);
    }
    finish_page(page);
    send_page(1, Protocol::Pio);
}

}  // namespace backplane::storage
