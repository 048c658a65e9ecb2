// Reads fw_cfg the way firmware does.
#pragma once

#include <backplane/testing/device_bench.h>

#include <bit>
#include <cstdint>
#include <map>
#include <string>

namespace backplane::firmware::testing {

struct FoundFile {
    std::uint16_t key = 0;
    std::uint32_t size = 0;
};

class FwCfgReader {
public:
    explicit FwCfgReader(backplane::testing::DeviceBench& bench)
        : registers_{bench.window("registers")} {}

    void select(std::uint16_t key) const { registers_.write16(0, key); }

    std::string next(std::size_t size) const {
        std::string bytes(size, '\0');
        for (char& byte : bytes)
            byte = static_cast<char>(registers_.read8(1));
        return bytes;
    }

    std::string item(std::uint16_t key, std::size_t size) const {
        select(key);
        return next(size);
    }

    std::map<std::string, FoundFile> directory() const {
        std::map<std::string, FoundFile> found;
        select(0x19);
        const auto count = big_endian<std::uint32_t>(next(4));
        for (std::uint32_t index = 0; index < count; ++index) {
            const auto size = big_endian<std::uint32_t>(next(4));
            const auto key = big_endian<std::uint16_t>(next(2));
            next(2);
            found[next(56).c_str()] = {key, size};
        }
        return found;
    }

    std::string file(const std::string& name) const {
        const auto [key, size] = directory().at(name);
        return item(key, size);
    }

    template <class T>
    static T big_endian(const std::string& bytes) {
        T value{};
        std::memcpy(&value, bytes.data(), sizeof value);
        return std::byteswap(value);
    }

private:
    backplane::testing::WindowProbe registers_;
};

}  // namespace backplane::firmware::testing
