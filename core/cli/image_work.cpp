// The actions of `backplane image` that change something.
#include "cli/image_arguments.h"
#include "cli/progress_bar.h"
#include "images/copy_image.h"
#include "images/create_image.h"

#include <fmt/format.h>

#include <charconv>
#include <cstring>

namespace backplane::cli {

namespace {

namespace fs = std::filesystem;
using images::Format;

std::expected<std::uint32_t, std::string>
number_option(const Arguments& arguments, const char* option, std::uint32_t otherwise) {
    if (!arguments.has(option)) return otherwise;
    const std::string text = arguments.text(option);
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size())
        return std::unexpected(fmt::format("--{} '{}': a number was expected", option, text));
    return value;
}

// What create and convert are told about the new image.
std::expected<images::CreateOptions, std::string>
create_options(const Arguments& arguments, const fs::path& path, const char* format_name) {
    images::CreateOptions options;
    const auto format = format_option(arguments, format_name);
    if (!format) return std::unexpected(format.error());
    options.format = *format != Format::Auto ? *format : images::format_by_name(path);
    const auto version = number_option(arguments, "version", options.version);
    if (!version) return std::unexpected(version.error());
    options.version = *version;
    const auto bits = number_option(arguments, "refcount-bits", options.refcount_bits);
    if (!bits) return std::unexpected(bits.error());
    options.refcount_bits = *bits;
    if (arguments.has("cluster-size")) {
        const auto size = parse_size(arguments.text("cluster-size"));
        if (!size) return std::unexpected(size.error());
        options.cluster_size = *size;
    }
    if (options.format != Format::Qcow2)
        for (const char* option :
             {"cluster-size", "version", "refcount-bits", "lazy-refcounts", "compression"})
            if (arguments.has(option))
                return std::unexpected(fmt::format("--{} is for qcow2 images", option));
    if (options.format != Format::Vhd && arguments.has("fixed"))
        return std::unexpected("--fixed is for VHD images");
    options.has_lazy_refcounts = arguments.has("lazy-refcounts");
    options.compression = arguments.text("compression", options.compression);
    options.is_fixed = arguments.has("fixed");
    if (arguments.has("force")) options.existing = images::Existing::IsOverwritten;
    return options;
}

void warn_of_place(const fs::path& path, const std::string& backing) {
    if (backing.empty() || images::is_beside(path, images::backing_path(path, backing))) return;
    fmt::print(stderr,
               "backplane: image: \"{}\" is not in the folder of \"{}\": machines that use it need "
               "backing-anywhere: true, and this command --backing-anywhere\n",
               backing, path.string());
}

int create(const Arguments& arguments, std::span<const std::string> words) {
    const fs::path path = words[0];
    auto options = create_options(arguments, path, "format");
    if (!options) return fail_image(options.error());
    if (words.size() > 1) {
        const auto size = parse_size(words[1]);
        if (!size) return fail_image(size.error());
        options->size = (*size + 511) / 512 * 512;
    } else if (!arguments.has("backing")) {
        return fail_image("expected: backplane image create FILE SIZE");
    }
    options->backing = arguments.text("backing");
    const auto backing_format = format_option(arguments, "backing-format");
    if (!backing_format) return fail_image(backing_format.error());
    options->backing_format = *backing_format;
    if (auto done = images::create_image(path, *options); !done) return fail_image(done.error());
    warn_of_place(path, options->backing);
    return static_cast<int>(ExitCode::Ok);
}

int convert(const Arguments& arguments, std::span<const std::string> words) {
    const fs::path from = words[0], to = words[1];
    const auto open = open_options(arguments);
    if (!open) return fail_image(open.error());
    const auto source = images::open_image(from, *open);
    if (!source) return fail_image(source.error());
    auto options = create_options(arguments, to, "to");
    if (!options) return fail_image(options.error());
    options->size = source->storage->size();
    const auto packing = arguments.has("compress") ? images::Packing::Yes : images::Packing::No;
    if (packing == images::Packing::Yes && options->format != Format::Qcow2)
        return fail_image("--compress is for qcow2 images");
    if (auto done = images::create_image(to, *options); !done) return fail_image(done.error());

    auto work = [&]() -> std::expected<void, std::string> {
        auto target = images::open_image(
            to, {.format = options->format, .access = images::FileAccess::ReadWrite});
        if (!target) return std::unexpected(target.error());
        if (target->storage->size() < options->size)
            return std::unexpected(fmt::format("\"{}\" has {} bytes, fewer than the disk",
                                               to.string(), target->storage->size()));
        // A device of the host is not empty.
        if (target->file->is_device() && options->format == Format::Raw)
            if (const int error = target->storage->write_zeroes(0, options->size, true); error != 0)
                return std::unexpected(std::strerror(error));
        ProgressBar bar{"convert"};
        auto copied = images::copy_image(
            *source->storage, *target, packing,
            [&](std::uint64_t done, std::uint64_t all) { return bar.show(done, all); });
        if (!copied) return copied;
        if (const int error = target->storage->close(); error != 0)
            return std::unexpected(
                fmt::format("\"{}\" cannot be closed: {}", to.string(), std::strerror(error)));
        return {};
    };
    if (auto done = work(); !done) {
        std::error_code ignored;
        if (fs::is_regular_file(to, ignored)) fs::remove(to, ignored);
        return fail_work(done.error());
    }
    return static_cast<int>(ExitCode::Ok);
}

int commit(const Arguments& arguments, std::span<const std::string> words) {
    const auto options = open_options(arguments);
    if (!options) return fail_image(options.error());
    ProgressBar bar{"commit"};
    auto done = images::commit_image(
        words[0], *options,
        [&](std::uint64_t part, std::uint64_t all) { return bar.show(part, all); });
    return done ? static_cast<int>(ExitCode::Ok) : fail_image(done.error());
}

int rebase(const Arguments& arguments, std::span<const std::string> words) {
    const auto options = open_options(arguments);
    if (!options) return fail_image(options.error());
    if (!arguments.has("backing"))
        return fail_image("--backing says what the image is to be based on; '' is nothing");
    const std::string backing = arguments.text("backing");
    const auto format = format_option(arguments, "backing-format");
    if (!format) return fail_image(format.error());
    std::expected<void, std::string> done;
    if (arguments.has("unsafe")) {
        done = images::rename_backing(words[0], *options, backing, *format);
    } else {
        ProgressBar bar{"rebase"};
        done = images::rebase_image(
            words[0], *options, backing, *format,
            [&](std::uint64_t part, std::uint64_t all) { return bar.show(part, all); });
    }
    if (!done) return fail_image(done.error());
    warn_of_place(words[0], backing);
    return static_cast<int>(ExitCode::Ok);
}

const ImageAction actions[] = {
    {"create",
     "[options] FILE [SIZE]",
     1,
     2,
     {"format", "backing", "backing-format", "cluster-size", "version", "refcount-bits",
      "lazy-refcounts", "compression", "fixed", "force"},
     create},
    {"convert",
     "[options] FROM TO",
     2,
     2,
     {"format", "to", "backing-anywhere", "cluster-size", "version", "refcount-bits",
      "lazy-refcounts", "compression", "compress", "fixed", "snapshot", "force"},
     convert},
    {"commit", "[options] FILE", 1, 1, {"format", "backing-anywhere"}, commit},
    {"rebase",
     "--backing FILE [options] FILE",
     1,
     1,
     {"format", "backing", "backing-format", "backing-anywhere", "unsafe"},
     rebase},
};

}  // namespace

std::span<const ImageAction> image_work() { return actions; }

}  // namespace backplane::cli
