// A file of JSON that appears as a whole or not at all: what was there before stays until then.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <expected>
#include <filesystem>
#include <fstream>
#include <string>

namespace backplane::bench {

class JsonFile {
public:
    // Tells right away, and not after hours of measuring, where nothing can be written.
    static std::expected<JsonFile, std::string> open(const std::filesystem::path& path);
    JsonFile(JsonFile&& other) noexcept;
    JsonFile& operator=(JsonFile&&) = delete;
    ~JsonFile();

    std::expected<void, std::string> write(const nlohmann::ordered_json& json);

private:
    explicit JsonFile(std::filesystem::path path);

    [[nodiscard]] std::unexpected<std::string> refuse(int why) const;

    std::filesystem::path path_;
    std::filesystem::path temporary_;  // takes its place; empty once it is gone, and for devices
    std::ofstream file_;
};

}  // namespace backplane::bench
