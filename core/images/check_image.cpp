#include "images/check_image.h"

#include "images/host_file.h"
#include "images/open_image.h"
#include "images/qcow2/check.h"
#include "images/vhd/check.h"

#include <fmt/format.h>

namespace backplane::images {

std::expected<CheckReport, std::string> check_image(const std::filesystem::path& path,
                                                    Format format, Repair repair) {
    const bool writes = repair != Repair::Nothing;
    auto file = HostFile::open(path, writes ? FileAccess::ReadWrite : FileAccess::ReadOnly,
                               Locking::Yes);
    if (!file) return std::unexpected(file.error());
    const auto blame = [&](const std::string& why) {
        return std::unexpected(fmt::format("\"{}\" {}", path.string(), why));
    };
    if (format == Format::Auto) {
        const auto agreed = agreed_format(path, **file);
        if (!agreed) return blame(agreed.error());
        format = *agreed;
    }
    if (format == Format::Qcow2 || format == Format::Vhd) {
        auto report = format == Format::Qcow2 ? qcow2::check(**file, repair)
                                              : vhd::check(**file, repair);
        if (!report) return blame(report.error());
        return report;
    }
    // What can be said of the others is said when they are opened.
    const auto opened = open_image(
        path, {.format = format, .locking = Locking::No, .backing = BackingRule::NotOpened});
    if (!opened) return std::unexpected(opened.error());
    return CheckReport{.is_checkable = false};
}

}  // namespace backplane::images
