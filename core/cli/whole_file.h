// A file that appears as a whole or not at all: what was there before stays until then.
#pragma once

#include <expected>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace backplane::cli {

class WholeFile {
public:
    // Tells right away, and not after hours of measuring, where nothing can be written. Messages
    // name the file.
    static std::expected<WholeFile, std::string> open(const std::filesystem::path& path);
    WholeFile(WholeFile&& other) noexcept;
    WholeFile& operator=(WholeFile&&) = delete;
    ~WholeFile();

    std::expected<void, std::string> write(std::string_view content);

private:
    explicit WholeFile(std::filesystem::path path);

    [[nodiscard]] std::unexpected<std::string> refuse(int why) const;

    std::filesystem::path path_;
    std::filesystem::path temporary_;  // takes its place; empty once it is gone, and for devices
    std::ofstream file_;
};

}  // namespace backplane::cli
