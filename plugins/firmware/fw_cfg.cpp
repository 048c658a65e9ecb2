#include "fw_cfg.h"

#include "byte_table.h"
#include "uuid.h"

#include <algorithm>
#include <array>
#include <bit>
#include <sstream>

namespace backplane::firmware {

namespace {

// I/O ports from 0x510 on: "Register Locations".
constexpr std::uint64_t selector_offset = 0, data_offset = 1;
constexpr std::uint64_t dma_high_offset = 4, dma_low_offset = 8, window_size = 12;
constexpr std::uint64_t dma_signature = 0x51454d5520434647;  // "QEMU CFG"

// A selector's top bits: the item is the architecture's own, and a former way to ask for writing.
constexpr std::uint16_t write_channel = 0x4000;

namespace key {
constexpr std::uint16_t signature = 0x00, id = 0x01, uuid = 0x02, ram_size = 0x03, nographic = 0x04,
                        cpus = 0x05, numa = 0x0d, boot_menu = 0x0e, max_cpus = 0x0f,
                        irq0_override = 0x8002;
}  // namespace key

constexpr std::uint32_t traditional_interface = 1, dma_interface = 2;  // key::id

// FWCfgDmaAccess: control, length and address, big endian.
constexpr std::uint64_t access_size = 16;
namespace control {
constexpr std::uint32_t error = 1, read = 2, skip = 4, select = 8, write = 16;
}

constexpr std::uint32_t e820_ram = 1;

template <class T>
std::vector<std::byte> little_endian(T value) {
    Table table;
    append(table, value);
    return table;
}

std::vector<std::byte> text_bytes(std::string_view text) {
    Table table;
    append_text(table, text);
    return table;
}

// Words of the property, each on a line of its own, and the final NUL that firmware wants.
std::vector<std::byte> lines(const std::string& text) {
    std::istringstream words{text};
    std::string joined;
    for (std::string word; words >> word;)
        joined += (joined.empty() ? "" : "\n") + word;
    return joined.empty() ? Table{} : text_bytes({joined.c_str(), joined.size() + 1});
}

std::vector<std::byte> e820(const RamLayout& ram) {
    Table table;
    const auto add = [&](MemoryRange range) {
        append(table, range.start);
        append(table, range.length);
        append(table, e820_ram);
    };
    add({0, ram.low_end});
    for (const MemoryRange range : ram.high)
        add(range);
    return table;
}

// Suspend is possible with bit 7; the others are the SLP_TYP for S0 to S5. There is only S5.
constexpr std::array<std::uint8_t, 6> system_states{0x80, 0, 0, 1, 2, 0x80};

// Whether all of it is memory: other windows have side effects that no DMA should have.
bool is_memory(const AddressSpace& memory, std::uint64_t address, std::uint64_t length) {
    if (length != 0 && address + (length - 1) < address) return false;
    while (length != 0) {
        const backplane_range range = memory.find(address);
        if (range.memory == nullptr) return false;
        const std::uint64_t part = std::min(length, range.start + range.length - address);
        address += part;
        length -= part;
    }
    return true;
}

}  // namespace

void FwCfg::declare(Declaration<FwCfg>& d) {
    d.type("firmware.fw-cfg", "Tells firmware what machine it runs on, as QEMU's fw_cfg does");
    d.property("dma", &FwCfg::dma_, "Offer transfers by DMA");
    d.property("nographic", &FwCfg::nographic_,
               "Ask firmware to use the serial port as its console");
    d.property("boot-menu", &FwCfg::boot_menu_, "Ask firmware to offer a menu of boot devices");
    d.property("boot-menu-wait", &FwCfg::boot_menu_wait_,
               "Milliseconds for which the menu is offered; 0 = as long as firmware likes")
        .range(0u, 0xffffu);
    d.property("boot-order", &FwCfg::boot_order_,
               "Boot devices as OpenFirmware paths, separated by spaces or lines; empty = "
               "firmware's own order");
    d.property("boot-fail-wait", &FwCfg::boot_fail_wait_,
               "Milliseconds after which firmware tries again when nothing boots; 0xffffffff = "
               "never");
    d.property("bios-geometry", &FwCfg::geometry_,
               "Logical geometry of disks: a path, cylinders, heads and sectors each");
    d.property("uuid", &FwCfg::uuid_, "Identity of the machine; empty = none");
    d.port_window<&FwCfg::read, &FwCfg::write>(
         "registers", window_size, "Selector, data and DMA, usually at port 0x510", 1 | 2 | 4)
        .reg(selector_offset, "SELECTOR", "Number of the item that is read next", 2)
        .reg(data_offset, "DATA", "The next byte of the item")
        .reg(dma_high_offset, "DMA_ADDRESS_HIGH", "Upper half of a descriptor's address", 4)
        .reg(dma_low_offset, "DMA_ADDRESS_LOW", "Lower half; writing it starts the transfer", 4);
    d.address_space("memory", &FwCfg::memory_,
                    "Where DMA goes; its RAM is what firmware is told about");
    d.connects_all("cpus", &FwCfg::cpus_, "All processors");
    d.connects_all("files", &FwCfg::providers_, "Who has further files for the firmware");
    d.saved("key", &FwCfg::key_);
    d.saved("offset", &FwCfg::offset_);
    d.saved("dma-address", &FwCfg::dma_address_);
    d.saved("bytes-read", &FwCfg::bytes_read_);
    d.saved("transfers", &FwCfg::transfers_);
    d.counter("bytes-read", &FwCfg::bytes_read_, "bytes", "Bytes that firmware has read");
    d.counter("transfers", &FwCfg::transfers_, "transfers", "DMA descriptors carried out");
}

Outcome FwCfg::start() {
    if (cpus_.empty() || cpus_.size() > 0xffff)
        return std::unexpected{std::string{"\"cpus\" must name 1 to 65535 processors, not "} +
                               std::to_string(cpus_.size())};
    if (!parse_uuid(uuid_))
        return std::unexpected("uuid \"" + uuid_ +
                               "\" is none; one looks like 123e4567-e89b-12d3-a456-426614174000");
    return make_items();
}

Outcome FwCfg::make_items() {
    const RamLayout ram = find_ram(memory_);
    items_ = {};
    add_numbers(ram);
    if (auto added = add_files(ram); !added) return added;
    for (const auto& provider : providers_) {
        if (auto added = items_.add_files(provider); !added) return added;
    }
    return items_.make_directory();
}

void FwCfg::add_numbers(const RamLayout& ram) {
    const auto cpus = static_cast<std::uint16_t>(cpus_.size());
    const Uuid uuid = parse_uuid(uuid_).value();
    items_.add(key::signature, text_bytes("QEMU"));
    items_.add(key::id, little_endian(traditional_interface | (dma_ ? dma_interface : 0)));
    const auto uuid_bytes = std::as_bytes(std::span{uuid});
    items_.add(key::uuid, {uuid_bytes.begin(), uuid_bytes.end()});
    items_.add(key::ram_size, little_endian(ram.total()));
    items_.add(key::nographic, little_endian(std::uint16_t{nographic_}));
    items_.add(key::cpus, little_endian(cpus));
    // The number of nodes, then the node of each processor and the size of each node.
    items_.add(key::numa, Table((1 + std::size_t{cpus}) * 8));
    items_.add(key::boot_menu, little_endian(std::uint16_t{boot_menu_}));
    items_.add(key::max_cpus, little_endian(cpus));
    items_.add(key::irq0_override, little_endian(std::uint32_t{1}));  // the timer is input 2
}

Outcome FwCfg::add_files(const RamLayout& ram) {
    const auto states = std::as_bytes(std::span{system_states});
    std::vector<std::pair<std::string, Table>> files{
        {"bios-geometry",
         geometry_.empty() ? Table{} : text_bytes({geometry_.c_str(), geometry_.size() + 1})},
        {"bootorder", lines(boot_order_)},
        {"etc/boot-fail-wait", little_endian(boot_fail_wait_)},
        {"etc/e820", e820(ram)},
        {"etc/system-states", {states.begin(), states.end()}},
    };
    if (boot_menu_wait_ != 0) {
        files.emplace_back("etc/boot-menu-wait",
                           little_endian(static_cast<std::uint16_t>(boot_menu_wait_)));
    }
    for (auto& [name, content] : files) {
        if (auto added = items_.add_file(name, std::move(content)); !added) return added;
    }
    return {};
}

// At power-on all memory is there and nothing that a guest maps; what firmware is told then holds
// from then on.
void FwCfg::reset(ResetKind kind) {
    if (kind == ResetKind::PowerOn) {
        if (const auto made = make_items(); !made) {
            log(LogLevel::Error, made.error());
            request_power_off(1, made.error());
        }
    }
    key_ = key::signature;
    offset_ = 0;
    dma_address_ = 0;
}

void FwCfg::select(std::uint16_t key) {
    key_ = static_cast<std::uint16_t>(key & ~write_channel);
    offset_ = 0;
    if (const FwCfgItem* item = items_.find(key_)) item->open();
}

// Behind the end of an item, and without one, there are zeros.
std::uint8_t FwCfg::next_byte() {
    const FwCfgItem* item = items_.find(key_);
    const auto content = item == nullptr ? std::span<const std::byte>{} : item->content();
    if (offset_ >= content.size()) return 0;
    ++bytes_read_;
    return std::to_integer<std::uint8_t>(content[offset_++]);
}

std::uint64_t FwCfg::read(std::uint64_t offset, unsigned size) {
    // A byte of data comes from the selector's port too, as it does in QEMU.
    if (offset < 2 && size == 1) return next_byte();
    if (!dma_ || offset < dma_high_offset) return 0;
    const std::uint64_t in_memory_order = std::byteswap(dma_signature);
    return in_memory_order >> (offset - dma_high_offset) * 8;
}

void FwCfg::write(std::uint64_t offset, unsigned size, std::uint64_t value) {
    if (offset == selector_offset && size == 2) return select(static_cast<std::uint16_t>(value));
    if (!dma_ || size != 4) return;
    const std::uint64_t half = std::byteswap(static_cast<std::uint32_t>(value));
    if (offset == dma_high_offset) {
        dma_address_ = half << 32;
    } else if (offset == dma_low_offset) {
        dma_address_ |= half;
        run_dma();
        dma_address_ = 0;
    }
}

void FwCfg::run_dma() {
    const std::uint64_t descriptor = dma_address_;
    ++transfers_;
    bool done = false;
    if (is_memory(memory_, descriptor, access_size)) {
        const auto control = std::byteswap(memory_.read<std::uint32_t>(descriptor));
        const auto length = std::byteswap(memory_.read<std::uint32_t>(descriptor + 4));
        const auto address = std::byteswap(memory_.read<std::uint64_t>(descriptor + 8));
        if ((control & control::select) != 0) select(static_cast<std::uint16_t>(control >> 16));
        done = transfer(control, address, length);
        if (!done) {
            log(LogLevel::Debug, "DMA refused: control ", Hex{control}, ", ", length,
                " bytes, address ", Hex{address}, ", item ", Hex{key_});
        }
    } else {
        log(LogLevel::Debug, "DMA descriptor at ", Hex{descriptor}, " is not in memory");
        return;
    }
    memory_.write(descriptor, std::byteswap(done ? std::uint32_t{0} : control::error));
}

// Of several directions the first counts.
bool FwCfg::transfer(std::uint32_t control, std::uint64_t address, std::uint32_t length) {
    if ((control & control::read) != 0) {
        if (!is_memory(memory_, address, length)) return false;
        read_into_memory(address, length);
    } else if ((control & control::write) != 0) {
        return write_from_memory(address, length);
    } else if ((control & control::skip) != 0) {
        const FwCfgItem* item = items_.find(key_);
        const std::uint64_t size = item == nullptr ? 0 : item->content().size();
        offset_ = std::min(offset_ + length, std::max(offset_, size));
    }
    return true;
}

void FwCfg::read_into_memory(std::uint64_t address, std::uint32_t length) {
    const FwCfgItem* item = items_.find(key_);
    const auto content = item == nullptr ? std::span<const std::byte>{} : item->content();
    const auto there = content.subspan(std::min<std::uint64_t>(offset_, content.size()));
    const auto part = there.first(std::min<std::size_t>(length, there.size()));
    memory_.write(address, part);
    offset_ += part.size();
    bytes_read_ += part.size();

    static constexpr std::array<std::byte, 4096> zeros{};
    for (std::uint64_t at = part.size(); at < length;) {
        const auto size = std::min<std::uint64_t>(zeros.size(), length - at);
        memory_.write(address + at, std::span{zeros}.first(size));
        at += size;
    }
}

// All of it or nothing.
bool FwCfg::write_from_memory(std::uint64_t address, std::uint32_t length) {
    const FwCfgItem* item = items_.find(key_);
    if (item == nullptr || !item->is_writable() || !is_memory(memory_, address, length))
        return false;
    const std::uint64_t size = item->content().size();
    if (offset_ > size || length > size - offset_) return false;
    std::vector<std::byte> bytes(length);
    memory_.read(address, bytes);
    item->write(offset_, bytes);
    offset_ += length;
    return true;
}

}  // namespace backplane::firmware
