#include "spd_eeprom.h"

namespace backplane::chipset {

namespace {

using namespace literals;

constexpr backplane_smbus_device functions{
    sizeof(backplane_smbus_device),    0,
    thunk<&SpdEeprom::start_transfer>, thunk<&SpdEeprom::write>,
    thunk<&SpdEeprom::read>,           thunk<&SpdEeprom::stop_transfer>};

}  // namespace

void SpdEeprom::declare(Declaration<SpdEeprom>& d) {
    d.type("chipset.spd-eeprom", "EEPROM of a memory module: type, size and timing");
    d.property("address", &SpdEeprom::address_, "On the bus: 0x50 for the first slot, to 0x57")
        .range(std::uint8_t{0x50}, std::uint8_t{0x57});
    d.property("memory", &SpdEeprom::memory_, {"sdr", "ddr", "ddr2"}, "What the module is made of");
    d.property("size", &SpdEeprom::size_, "Of the module, a power of two").range(4_MiB, 4_GiB);
    d.provides("smbus", functions, "The module's place on the bus");
    d.saved("pointer", &SpdEeprom::pointer_);
    d.saved("has-pointer", &SpdEeprom::has_pointer_);
}

Outcome SpdEeprom::start() {
    if (!spd_size_is_possible(memory_, size_.value))
        return std::unexpected{std::string{
            "size: there is no such module; expected a power of two, of sdr 4 MiB to 1 GiB, of ddr "
            "32 MiB to 2 GiB, of ddr2 128 MiB to 4 GiB"}};
    contents_ = spd_contents(memory_, size_.value);
    return {};
}

void SpdEeprom::reset(ResetKind kind) {
    if (kind != ResetKind::PowerOn) return;  // there is no reset input
    pointer_ = 0;
    has_pointer_ = false;
}

std::int32_t SpdEeprom::start_transfer(std::uint8_t address, std::int32_t read) {
    if (address != address_) return 0;
    if (read == 0) has_pointer_ = false;
    return 1;
}

// The first byte is where to read; what follows would be data, which a protected EEPROM does not
// acknowledge.
std::int32_t SpdEeprom::write(std::uint8_t value) {
    if (has_pointer_) return 0;
    pointer_ = value;
    has_pointer_ = true;
    return 1;
}

}  // namespace backplane::chipset
