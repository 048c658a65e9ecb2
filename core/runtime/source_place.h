// Where a piece of a machine file, or of the command line, was written: for messages and for
// `explain`.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace backplane::runtime {

// A text that settings come from. Places share it, so its lines can be shown long after it was
// read.
struct Source {
    enum class Kind {
        File,
        CommandLine,  // one option as it was typed; `name` and `text` are the same
    };

    Kind kind = Kind::File;
    std::string name;  // as people know it: "machines/q35.yaml", "-p cpu0.type=cpu.interp"
    std::string text;
    std::filesystem::path directory;  // relative paths written in it start here

    // Line `number`, counted from 1, without its end; empty when there is none.
    [[nodiscard]] std::string_view line(std::uint32_t number) const;
};

struct Place {
    std::shared_ptr<const Source> source;  // null: said nowhere, a default
    std::uint32_t line = 0;                // from 1
    std::uint32_t column = 0;              // from 1, in bytes
    std::uint32_t length = 1;              // bytes, within the line

    explicit operator bool() const { return source != nullptr; }
    // "machines/q35.yaml:14:10" or "-p cpu0.type=cpu.interp".
    [[nodiscard]] std::string text() const;
    // The same without the column, for tables.
    [[nodiscard]] std::string short_text() const;
};

}  // namespace backplane::runtime
