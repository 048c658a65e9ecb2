// Checks an image file's tables, without what it is based on.
#pragma once

#include "images/check_report.h"
#include "images/format.h"

#include <expected>
#include <filesystem>
#include <string>

namespace backplane::images {

std::expected<CheckReport, std::string> check_image(const std::filesystem::path& path,
                                                    Format format, Repair repair);

}  // namespace backplane::images
