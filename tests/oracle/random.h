// Random numbers for cases: fast, and the same for the same seed everywhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>

namespace backplane::oracle {

class Random {
public:
    explicit Random(std::uint64_t seed) : state_{seed * 0x9e37'79b9'7f4a'7c15 + 1} {
        for (int i = 0; i < 4; ++i)
            next();
    }

    // xorshift64*, by Marsaglia and Vigna.
    std::uint64_t next() {
        state_ ^= state_ >> 12;
        state_ ^= state_ << 25;
        state_ ^= state_ >> 27;
        return state_ * 0x2545'f491'4f6c'dd1d;
    }
    std::uint64_t below(std::uint64_t limit) {
        return static_cast<std::uint64_t>(static_cast<unsigned __int128>(next()) * limit >> 64);
    }
    bool percent(unsigned chance) { return below(100) < chance; }
    std::uint8_t byte() { return static_cast<std::uint8_t>(next() >> 56); }

    template <class T, std::size_t count>
    T one_of(const T (&values)[count]) {
        return values[below(count)];
    }

private:
    std::uint64_t state_;
};

}  // namespace backplane::oracle
