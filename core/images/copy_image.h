// Work on whole images: copying one into another, writing what one has down into the one below it,
// putting another below it.
#pragma once

#include "images/open_image.h"

#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <string>

namespace backplane::images {

// How many bytes of how many are done. False stops the work.
using Progress = std::function<bool(std::uint64_t done, std::uint64_t all)>;

enum class Packing : bool { No, Yes };

// `to` reads as zeroes wherever nothing was written, and is large enough.
std::expected<void, std::string> copy_image(ImageStorage& from, OpenedImage& to, Packing packing,
                                            const Progress& progress);

// What `path` has itself is written to the image that it is based on, and `path` has nothing then.
std::expected<void, std::string> commit_image(const std::filesystem::path& path,
                                              const OpenOptions& options, const Progress& progress);

// `path` is based on `backing` from now on ("": on nothing), and reads as before.
std::expected<void, std::string> rebase_image(const std::filesystem::path& path,
                                              const OpenOptions& options,
                                              const std::string& backing, Format backing_format,
                                              const Progress& progress);
// Only says so: `backing` is what the old one was, elsewhere.
std::expected<void, std::string> rename_backing(const std::filesystem::path& path,
                                                const OpenOptions& options,
                                                const std::string& backing, Format backing_format);

}  // namespace backplane::images
