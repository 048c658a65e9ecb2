// Compares the counts of a qcow2 file with what its tables use, and puts them right.
#pragma once

#include "images/byte_file.h"
#include "images/check_report.h"

#include <expected>
#include <string>

namespace backplane::images::qcow2 {

// What cannot be checked at all is told as what follows the file's name.
std::expected<CheckReport, std::string> check(ByteFile& file, Repair repair);

// What an image needs that was not closed: the counts are made anew from the tables.
std::expected<void, std::string> repair_counts(ByteFile& file);

}  // namespace backplane::images::qcow2
