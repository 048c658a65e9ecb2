#include "nvme_identify.h"

#include "nvme_registers.h"

#include <algorithm>
#include <cstring>
#include <string_view>

namespace backplane::storage::nvme {

namespace {

template <class Value>
void put(IdentifyData& data, std::size_t offset, Value value) {
    std::memcpy(data.data() + offset, &value, sizeof value);
}

// Padded with spaces.
void put_text(IdentifyData& data, std::size_t offset, std::size_t length, std::string_view text) {
    std::memset(data.data() + offset, ' ', length);
    std::memcpy(data.data() + offset, text.data(), std::min(length, text.size()));
}

// The same namespace of the same drive has the same identifier each time: FNV-1a over the serial
// number and the namespace's, as a UUID of version 8, which leaves the bits to us.
std::array<std::uint8_t, 16> unique_identifier(std::uint32_t namespace_id,
                                               const std::string& serial) {
    std::array<std::uint8_t, 16> uuid{};
    for (unsigned half = 0; half < 2; ++half) {
        std::uint64_t hash = 0xcbf2'9ce4'8422'2325 + half;
        const auto mix = [&](std::uint8_t byte) { hash = (hash ^ byte) * 0x100'0000'01b3; };
        for (const char letter : serial)
            mix(static_cast<std::uint8_t>(letter));
        for (unsigned byte = 0; byte < 4; ++byte)
            mix(static_cast<std::uint8_t>(namespace_id >> (byte * 8)));
        for (unsigned byte = 0; byte < 8; ++byte)
            uuid[half * 8 + byte] = static_cast<std::uint8_t>(hash >> (byte * 8));
    }
    uuid[6] = static_cast<std::uint8_t>((uuid[6] & 0x0f) | 0x80);
    uuid[8] = static_cast<std::uint8_t>((uuid[8] & 0x3f) | 0x80);
    return uuid;
}

// NVM Express 1.4, 7.9, with a UUID; the drive is what namespace 0 would be.
std::string qualified_name(const std::string& serial) {
    static constexpr std::string_view digits = "0123456789abcdef";
    std::string name = "nqn.2014-08.org.nvmexpress:uuid:";
    for (const std::uint8_t byte : unique_identifier(0, serial)) {
        const std::size_t length = name.size() -
                                   std::string_view{"nqn.2014-08.org.nvmexpress:uuid:"}.size();
        if (length == 8 || length == 13 || length == 18 || length == 23) name += '-';
        name += digits[byte >> 4];
        name += digits[byte & 15];
    }
    return name;
}

}  // namespace

// Offsets are those of figure 247.
IdentifyData identify_controller(const ControllerIdentity& identity) {
    IdentifyData data{};
    put(data, 0, identity.vendor);
    put(data, 2, identity.subsystem_vendor);
    put_text(data, 4, 20, identity.serial);
    put_text(data, 24, 40, identity.model);
    put_text(data, 64, 8, identity.firmware);
    put<std::uint8_t>(data, 72, 6);           // RAB: 64 commands
    put<std::uint32_t>(data, 73, 0x52'5400);  // IEEE; the next byte is CMIC
    put<std::uint8_t>(data, 77, mdts);
    put<std::uint32_t>(data, 80, version);
    put<std::uint32_t>(data, 92, 1u << 8);   // OAES: namespace attribute notices
    put<std::uint8_t>(data, 111, 1);         // CNTRLTYPE: I/O controller
    put<std::uint16_t>(data, 256, 1u << 8);  // OACS: Doorbell Buffer Config
    put<std::uint8_t>(data, 258, abort_limit);
    put<std::uint8_t>(data, 259, event_request_limit);
    put<std::uint8_t>(data, 260, 0x03);  // FRMW: one slot, which cannot be written
    put<std::uint8_t>(data, 261, 0x06);  // LPA: commands supported, extended data
    put<std::uint8_t>(data, 262, error_log_entries);
    put<std::uint8_t>(data, 263, 0);           // NPSS: one power state
    put<std::uint16_t>(data, 266, 273 + 70);   // WCTEMP
    put<std::uint16_t>(data, 268, 273 + 100);  // CCTEMP
    put<std::uint8_t>(data, 512, 0x66);        // SQES: 64 bytes
    put<std::uint8_t>(data, 513, 0x44);        // CQES: 16 bytes
    put<std::uint32_t>(data, 516, identity.namespaces);
    // ONCS: Compare, Dataset Management, Write Zeroes, Save and Select, Verify.
    put<std::uint16_t>(data, 520, 0x0001 | 0x0004 | 0x0008 | 0x0010 | 0x0080);
    put<std::uint8_t>(data, 525, 0x07);  // VWC: there is one, and Flush takes all namespaces
    put<std::uint16_t>(data, 526, 0);    // AWUN and AWUPF: one block
    put<std::uint32_t>(data, 536,
                       0x0005'0001);  // SGLS: any alignment, bit buckets, longer than data
    const std::string name = qualified_name(identity.serial);
    std::memcpy(data.data() + 768, name.data(), name.size());
    put<std::uint16_t>(data, 2048, 2500);  // power state 0: 25 W
    return data;
}

// Figure 245.
IdentifyData identify_namespace(const Namespace& space, const std::string& serial) {
    IdentifyData data{};
    if (!space.is_active()) return data;
    put<std::uint64_t>(data, 0, space.blocks());   // NSZE
    put<std::uint64_t>(data, 8, space.blocks());   // NCAP
    put<std::uint64_t>(data, 16, space.blocks());  // NUSE
    const std::uint32_t block_size = 1u << space.block_shift();
    const std::uint32_t optimal = std::max(space.physical_block_size(), block_size) / block_size;
    put<std::uint8_t>(data, 24, 1u << 4);  // NSFEAT: NPWG to NOWS are given
    // DLFEAT: Write Zeroes may deallocate. What reads after Dataset Management is anything.
    put<std::uint8_t>(data, 33, space.can_discard() ? 0x08 : 0);
    for (const std::size_t offset : {64, 66, 68, 70, 72})  // NPWG, NPWA, NPDG, NPDA, NOWS
        put(data, offset, static_cast<std::uint16_t>(optimal - 1));
    put<std::uint8_t>(data, 99, space.is_read_only() ? 1 : 0);  // NSATTR
    const auto identifier = unique_identifier(space.id(), serial);
    std::memcpy(data.data() + 104, identifier.data(), identifier.size());  // NGUID
    put<std::uint32_t>(data, 128, space.block_shift() << 16);              // LBAF0
    return data;
}

IdentifyData identify_active_namespaces(std::span<const std::unique_ptr<Namespace>> namespaces,
                                        std::uint32_t after) {
    IdentifyData data{};
    std::size_t offset = 0;
    for (const auto& space : namespaces) {
        if (!space->is_active() || space->id() <= after || offset == identify_size) continue;
        put(data, offset, space->id());
        offset += 4;
    }
    return data;
}

// Figure 251: NGUID and UUID.
IdentifyData identify_descriptors(const Namespace& space, const std::string& serial) {
    IdentifyData data{};
    const auto identifier = unique_identifier(space.id(), serial);
    std::size_t offset = 0;
    for (const std::uint8_t type : {std::uint8_t{2}, std::uint8_t{3}}) {
        put(data, offset, type);
        put<std::uint8_t>(data, offset + 1, identifier.size());
        std::memcpy(data.data() + offset + 4, identifier.data(), identifier.size());
        offset += 4 + identifier.size();
    }
    return data;
}

}  // namespace backplane::storage::nvme
