#include "disk_image.h"

#include "images/open_image.h"
#include "images/overlay.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace backplane::storage {

using images::BlockCache;
using images::BlockCacheOptions;
using images::CacheContents;
using images::Caching;
using images::Durability;
using images::ImageStorage;
using images::Overlay;
using images::Waiting;

namespace {

constexpr std::uint32_t sector = 512;
// Longer ones are copied while the guest goes on.
constexpr std::uint64_t most_written_now = 128 << 10;

const char* verb(std::uint32_t operation) {
    switch (operation) {
    case BACKPLANE_BLOCK_READ: return "read";
    case BACKPLANE_BLOCK_WRITE: return "write";
    case BACKPLANE_BLOCK_FLUSH: return "flush";
    case BACKPLANE_BLOCK_DISCARD: return "discard";
    default: return "write zeroes to";
    }
}

}  // namespace

void DiskImage::declare(Declaration<DiskImage>& d) {
    d.type("storage.image", "Disk or CD in a file or block device of the host");
    d.property("path", &DiskImage::path_, "The file; no medium when empty");
    d.property("format", &DiskImage::format_, {"auto", "raw", "qcow2", "vhd", "vmdk", "vdi"},
               "What the file is; auto: what its name and its first bytes agree on");
    d.property("read-only", &DiskImage::read_only_, "Open for reading; the guest cannot write");
    d.property("snapshot", &DiskImage::snapshot_,
               "What the guest writes is kept in a temporary file, and forgotten at the end");
    d.property("locking", &DiskImage::locking_, "Refuse a file that another program is using");
    d.property("backing-anywhere", &DiskImage::backing_anywhere_,
               "Open the file an image is based on even if it is not in the image's folder");
    d.property("internal-snapshot", &DiskImage::internal_snapshot_,
               "Read this snapshot of a qcow2 image, by name or number, which stays as it is");
    d.property("threads", &DiskImage::threads_, "How many requests may wait for the host at once")
        .range(1u, 64u);
    d.property("io-uring", &DiskImage::uses_ring_,
               "Let the host's io_uring, where there is one, do what would keep a thread waiting");
    d.property("cache", &DiskImage::caching_, {"writeback", "writethrough", "none", "unsafe"},
               "What is written is in the host's memory until it is flushed; on the disk when its "
               "request ends; past the host's memory, O_DIRECT; or flushed when the host likes");
    d.property("cache-size", &DiskImage::cache_size_,
               "Memory for blocks that are slow to read: compressed ones, all with cache: none");
    d.property("prefetch", &DiskImage::prefetch_,
               "How much of what follows them is read into that memory before it is wanted");
    provides_block(d, "block", "The bytes of the image");
    declare_statistics(d);
}

Outcome DiskImage::start() {
    queue_.start(host(), threads_, uses_ring_ ? IoQueue::Ring::IfThereIsOne : IoQueue::Ring::No);
    if (!path_.empty()) {
        auto opened = open(path_);
        if (!opened) {
            queue_.stop();
            return std::unexpected(opened.error());
        }
        storage_ = std::move(*opened);
    }
    return {};
}

void DiskImage::stop() {
    queue_.stop();
    close();
}

// What the guest wrote lasts, whether it asked for that or not.
void DiskImage::close() {
    if (storage_ == nullptr) return;
    if (const int error = storage_->close(); error != 0)
        log(LogLevel::Error, "cannot close \"", path_.string(), "\": ", std::strerror(error));
}

std::expected<std::unique_ptr<ImageStorage>, std::string>
DiskImage::open(const std::filesystem::path& path) {
    const bool writes = !read_only_ && !snapshot_ && internal_snapshot_.empty();
    auto image = images::open_image(
        path,
        {.format = format_,
         .access = writes ? images::FileAccess::ReadWrite : images::FileAccess::ReadOnly,
         .locking = locking_ ? images::Locking::Yes : images::Locking::No,
         .caching = caching_,
         .backing = backing_anywhere_ ? images::BackingRule::Anywhere : images::BackingRule::Beside,
         .internal_snapshot = internal_snapshot_});
    if (!image) return std::unexpected(image.error());
    const std::uint64_t file_size = image->file->size();
    if (image->format == images::Format::Raw && file_size % sector != 0)
        log(LogLevel::Warning, "\"", path.string(), "\" has ", file_size,
            " bytes, which is not a multiple of 512: the last sector ends with zeroes");
    if (!snapshot_ || read_only_) return with_cache(std::move(image->storage), image->packed_size);
    auto overlay = Overlay::above(std::move(image->storage));
    if (!overlay) return std::unexpected(overlay.error());
    return with_cache(std::move(*overlay), image->packed_size);
}

// Where the host's memory serves as well, it is not kept twice.
std::unique_ptr<ImageStorage> DiskImage::with_cache(std::unique_ptr<ImageStorage> storage,
                                                    std::uint64_t packed_size) {
    const bool keeps_all = caching_ == Caching::None;
    if (cache_size_.value == 0 || (!keeps_all && packed_size == 0)) return storage;
    BlockCacheOptions options{.packed_size = packed_size,
                              .capacity = cache_size_.value,
                              .ahead = prefetch_.value,
                              .most_ahead_at_once = std::max(threads_ / 2, 1u)};
    if (!keeps_all) {
        options.contents = CacheContents::PackedPieces;
        options.block_size = packed_size;
    }
    if (queue_.is_running())
        options.run_later = [this](std::function<void()> work) { queue_.run(std::move(work)); };
    return std::make_unique<BlockCache>(std::move(storage), std::move(options), cache_counters_);
}

void DiskImage::describe(backplane_block_info& info) {
    backplane_block_info answer{};
    answer.struct_size = info.struct_size;
    answer.flags = BACKPLANE_BLOCK_IS_REMOVABLE;
    answer.block_size = sector;
    answer.physical_block_size = 4096;
    if (storage_ != nullptr) {
        answer.flags |= BACKPLANE_BLOCK_HAS_MEDIUM;
        if (storage_->is_read_only()) answer.flags |= BACKPLANE_BLOCK_IS_READ_ONLY;
        if (storage_->can_discard()) answer.flags |= BACKPLANE_BLOCK_CAN_DISCARD;
        answer.size = storage_->size();
    }
    std::memcpy(&info, &answer, std::min<std::size_t>(info.struct_size, sizeof answer));
}

void DiskImage::listen(const backplane_block_listener& listener) {
    listener_ = {};
    std::memcpy(&listener_, &listener,
                std::min<std::size_t>(listener.struct_size, sizeof listener_));
}

bool DiskImage::is_valid(const backplane_block_request& request) const {
    if (request.operation == BACKPLANE_BLOCK_FLUSH) return true;
    if (request.operation < BACKPLANE_BLOCK_READ ||
        request.operation > BACKPLANE_BLOCK_WRITE_ZEROES)
        return false;
    if (request.offset % sector != 0 || request.length % sector != 0) return false;
    if (request.offset > storage_->size() || request.length > storage_->size() - request.offset)
        return false;
    if (request.operation != BACKPLANE_BLOCK_READ && request.operation != BACKPLANE_BLOCK_WRITE)
        return true;
    std::uint64_t length = 0;
    for (std::uint32_t index = 0; index < request.segment_count; ++index)
        length += request.segments[index].length;
    return length == request.length;
}

BlockResult DiskImage::submit(const backplane_block_request& request) {
    if (storage_ == nullptr) return BlockResult::NoMedium;
    if (!is_valid(request)) return BlockResult::Invalid;
    const bool changes = request.operation != BACKPLANE_BLOCK_READ &&
                         request.operation != BACKPLANE_BLOCK_FLUSH;
    if (changes && storage_->is_read_only()) return BlockResult::ReadOnly;
    Job job{request.operation, request.flags, request.offset, request.length, {}};
    for (std::uint32_t index = 0; index < request.segment_count; ++index)
        job.segments.push_back({request.segments[index].data, request.segments[index].length});
    if (!queue_.is_running()) return finish(job, perform(job));
    if (const int error = perform_now(job); error != EAGAIN) return finish(job, error);
    ++waited_;
    if (!put_in_file(job, request)) put(std::move(job), request);
    return BlockResult::Pending;
}

void DiskImage::put(Job job, const backplane_block_request& request) {
    queue_.put([this, job = std::move(
                          job)] { return static_cast<std::int32_t>(finish(job, perform(job))); },
               [complete = request.complete, user = request.user](std::int32_t result) {
                   complete(user, result);
               });
}

// The kernel does a part of it on the thread that asked, the CPU's, which has to be woken up for
// that: so the first request is left to a thread, and what comes while that waits to the kernel.
// What fails there is done again by a thread, which finds out why.
bool DiskImage::put_in_file(const Job& job, const backplane_block_request& request) {
    if (!queue_.has_ring() || queue_.pending() == 0) return false;
    images::FileTask task;
    const bool is_write = job.operation == BACKPLANE_BLOCK_WRITE;
    if (is_write) {
        if (is_stable(job) || !storage_->begin_write(job.offset, job.segments, task)) return false;
    } else if (job.operation != BACKPLANE_BLOCK_READ ||
               !storage_->begin_read(job.offset, job.segments, task)) {
        return false;
    }
    const auto done = [this, job, request](int error) {
        if (error != 0) return put(job, request);
        if (job.operation == BACKPLANE_BLOCK_WRITE) flush_need_.changed();
        request.complete(request.user, static_cast<std::int32_t>(finish(job, 0)));
    };
    if (queue_.put(is_write ? IoRing::Direction::Write : IoRing::Direction::Read, task, done)) {
        ++in_ring_;
        return true;
    }
    if (task.finish) (void)task.finish(EAGAIN);
    return false;
}

// What takes the host a few microseconds is done here: to wake up a thread, and then this one,
// takes longer.
int DiskImage::perform_now(const Job& job) {
    switch (job.operation) {
    case BACKPLANE_BLOCK_READ: return storage_->read(job.offset, job.segments, Waiting::No);
    case BACKPLANE_BLOCK_FLUSH: return flush_need_.exists() ? EAGAIN : 0;
    case BACKPLANE_BLOCK_WRITE: {
        if (is_stable(job) || job.length > most_written_now) return EAGAIN;
        const int error = patience_.spend(
            [&] { return storage_->try_write(job.offset, job.segments); });
        if (error != EAGAIN) flush_need_.changed();
        return error;
    }
    default: return EAGAIN;
    }
}

int DiskImage::perform(const Job& job) {
    if (job.operation == BACKPLANE_BLOCK_READ)
        return storage_->read(job.offset, job.segments, Waiting::Yes);
    if (job.operation == BACKPLANE_BLOCK_FLUSH) return flush();
    const int error = change(job);
    flush_need_.changed();
    return error;
}

int DiskImage::change(const Job& job) {
    switch (job.operation) {
    case BACKPLANE_BLOCK_WRITE:
        return storage_->write(job.offset, job.segments,
                               is_stable(job) ? Durability::Stable : Durability::Cached);
    case BACKPLANE_BLOCK_DISCARD: return storage_->discard(job.offset, job.length);
    default: {
        const int error = storage_->write_zeroes(job.offset, job.length,
                                                 (job.flags & BACKPLANE_BLOCK_MAY_DISCARD) != 0);
        return error == 0 && is_stable(job) ? storage_->flush() : error;
    }
    }
}

int DiskImage::flush() {
    const std::uint64_t covered = flush_need_.covered();
    const int error = storage_->flush();
    if (error == 0) flush_need_.flushed(covered);
    return error;
}

BlockResult DiskImage::finish(const Job& job, int error) {
    if (error != 0) {
        log_failure(job, error);
        return error == ENOSPC || error == EDQUOT || error == EFBIG ? BlockResult::NoSpace
                                                                    : BlockResult::Failed;
    }
    if (job.operation == BACKPLANE_BLOCK_READ) bytes_read_ += job.length;
    if (job.operation == BACKPLANE_BLOCK_WRITE) bytes_written_ += job.length;
    if (job.operation == BACKPLANE_BLOCK_FLUSH) ++flushes_;
    return BlockResult::Ok;
}

// A guest that tries again and again does not fill the log.
void DiskImage::log_failure(const Job& job, int error) {
    constexpr std::uint64_t most = 20;
    const std::uint64_t count = ++failures_;
    if (count > most) return;
    log(LogLevel::Error, "cannot ", verb(job.operation), " \"", path_.string(), "\" at byte ",
        job.offset, ": ", std::strerror(error),
        count == most ? "; further errors are counted, but not written here" : "");
}

BlockResult DiskImage::resize(std::uint64_t size) {
    if (storage_ == nullptr) return BlockResult::NoMedium;
    if (storage_->is_read_only()) return BlockResult::ReadOnly;
    if (size % sector != 0) return BlockResult::Invalid;
    queue_.wait();
    if (const int error = storage_->resize(size); error != 0) {
        log(LogLevel::Error, "cannot make \"", path_.string(), "\" ", size,
            " bytes large: ", std::strerror(error));
        return error == EINVAL ? BlockResult::Invalid : BlockResult::Failed;
    }
    if (listener_.resized != nullptr) listener_.resized(listener_.user);
    return BlockResult::Ok;
}

BlockResult DiskImage::change_medium(const char* path, bool force) {
    if (listener_.medium_changed == nullptr) {
        log(LogLevel::Error, "the drive cannot change its medium while the machine runs");
        return BlockResult::Refused;
    }
    if (is_locked_ && storage_ != nullptr) {
        if (listener_.eject_requested != nullptr) listener_.eject_requested(listener_.user);
        if (!force) return BlockResult::Refused;
    }
    const std::filesystem::path wanted{path};
    std::unique_ptr<ImageStorage> next;
    // The same file again need not be opened, and its lock would be in the way.
    const bool is_same = storage_ != nullptr && wanted == path_;
    if (!wanted.empty() && !is_same) {
        auto opened = open(wanted);
        if (!opened) {
            log(LogLevel::Error, opened.error());
            return BlockResult::Refused;
        }
        next = std::move(*opened);
    }
    queue_.wait();
    if (!is_same) {
        close();
        storage_ = std::move(next);
        flush_need_.changed();
    }
    path_ = wanted;
    listener_.medium_changed(listener_.user);
    return BlockResult::Ok;
}

}  // namespace backplane::storage
