// A disk or CD that is kept in a file of the host, in any format that core/images knows, or in a
// block device.
#pragma once

#include "flush_need.h"
#include "images/block_cache.h"
#include "images/caching.h"
#include "images/format.h"
#include "images/image_storage.h"
#include "images/open_image.h"
#include "io_queue.h"
#include "patience.h"

#include <backplane/sdk.h>

#include <atomic>
#include <expected>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace backplane::storage {

class DiskImage final : public Device {
public:
    static void declare(Declaration<DiskImage>& d);

    Outcome start();
    void stop();

    // backplane.block/1
    void describe(backplane_block_info& info);
    void listen(const backplane_block_listener& listener);
    BlockResult submit(const backplane_block_request& request);
    void wait() { queue_.wait(); }
    BlockResult resize(std::uint64_t size);
    void lock_medium(bool locked) { is_locked_ = locked; }
    BlockResult change_medium(const char* path, bool force);

private:
    // What a request asks for, kept while a thread works on it.
    struct Job {
        std::uint32_t operation, flags;
        std::uint64_t offset, length;
        std::vector<iovec> segments;
    };

    std::expected<std::unique_ptr<images::ImageStorage>, std::string>
    open(const std::filesystem::path& path);
    std::unique_ptr<images::ImageStorage> with_cache(std::unique_ptr<images::ImageStorage> storage,
                                                     std::uint64_t packed_size);
    static void declare_statistics(Declaration<DiskImage>& d);
    void close();
    std::uint64_t hit_rate() const;
    bool is_stable(const Job& job) const {
        return caching_ == images::Caching::Writethrough ||
               (job.flags & BACKPLANE_BLOCK_FORCE_ACCESS) != 0;
    }
    bool is_valid(const backplane_block_request& request) const;
    // EAGAIN: it may have to wait for the host.
    int perform_now(const Job& job);
    void put(Job job, const backplane_block_request& request);
    // False: not without a thread.
    bool put_in_file(const Job& job, const backplane_block_request& request);
    // [any]
    int perform(const Job& job);
    int change(const Job& job);
    int flush();
    BlockResult finish(const Job& job, int error);
    void log_failure(const Job& job, int error);

    std::filesystem::path path_;
    images::Format format_ = images::Format::Auto;
    bool read_only_ = false, snapshot_ = false, locking_ = true, backing_anywhere_ = false;
    std::string internal_snapshot_;
    std::uint32_t threads_ = 4;
    images::Caching caching_ = images::Caching::Writeback;
    bool uses_ring_ = true;
    Bytes cache_size_{32 << 20}, prefetch_{128 << 10};

    images::BlockCacheCounters cache_counters_;
    std::unique_ptr<images::ImageStorage> storage_;  // null: no medium
    FlushNeed flush_need_;
    Patience patience_;
    IoQueue queue_;
    backplane_block_listener listener_{};
    bool is_locked_ = false;
    std::uint64_t waited_ = 0, in_ring_ = 0;
    std::atomic<std::uint64_t> bytes_read_ = 0, bytes_written_ = 0, flushes_ = 0, failures_ = 0;
};

}  // namespace backplane::storage
