// What the actions of `backplane image` have in common: files, formats, sizes, failures.
#pragma once

#include "cli/command.h"
#include "images/open_image.h"

#include <cstdint>
#include <expected>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace backplane::cli {

struct ImageAction {
    const char* name;
    const char* arguments;
    std::size_t fewest, most;  // arguments
    std::vector<const char*> options;
    int (*run)(const Arguments& arguments, std::span<const std::string> words);
};

std::span<const ImageAction> image_work();     // create, convert, commit, rebase
std::span<const ImageAction> image_reports();  // info, check

// "10G", "10 GiB".
std::expected<std::uint64_t, std::string> parse_size(std::string text);
// Auto when the option was not given.
std::expected<images::Format, std::string> format_option(const Arguments& arguments,
                                                         const char* option);
std::expected<images::OpenOptions, std::string> open_options(const Arguments& arguments);

// Says what is wrong with what was asked for, or what the host refused to do.
int fail_image(const std::string& why);
int fail_work(const std::string& why);

}  // namespace backplane::cli
