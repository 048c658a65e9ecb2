// What a look at all tables of an image file found.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace backplane::images {

enum class Repair : std::uint8_t { Nothing, Leaks, Everything };

struct CheckReport {
    // Whether the format has tables that could be wrong.
    bool is_checkable = true;
    std::uint64_t errors = 0;  // what is in the disk may be wrong, or become so
    std::uint64_t leaks = 0;   // space that is not used, but not free either
    std::uint64_t mended_errors = 0, mended_leaks = 0;
    std::uint64_t used_pieces = 0, pieces = 0;  // of the disk: those that the file has, and all
    std::uint64_t packed_pieces = 0;
    std::vector<std::string> findings = {};  // the first of them

    void add_finding(std::string text) {
        constexpr std::size_t most = 50;
        if (findings.size() < most) findings.push_back(std::move(text));
    }
    void add_error(std::string text) {
        ++errors;
        add_finding("error: " + std::move(text));
    }
    void add_leak(std::string text) {
        ++leaks;
        add_finding("leak: " + std::move(text));
    }
};

}  // namespace backplane::images
