// Looks for blocks of a VHD file that overlap or are not in it, and puts its footers right.
#pragma once

#include "images/byte_file.h"
#include "images/check_report.h"

#include <expected>
#include <string>

namespace backplane::images::vhd {

std::expected<CheckReport, std::string> check(ByteFile& file, Repair repair);

}  // namespace backplane::images::vhd
