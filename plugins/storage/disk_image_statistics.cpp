#include "disk_image.h"

namespace backplane::storage {

void DiskImage::declare_statistics(Declaration<DiskImage>& d) {
    d.counter(
        "bytes.read", [](DiskImage& t) { return t.bytes_read_.load(); }, "bytes",
        "Read from the image");
    d.counter(
        "bytes.written", [](DiskImage& t) { return t.bytes_written_.load(); }, "bytes",
        "Written to the image");
    d.counter(
        "flushes", [](DiskImage& t) { return t.flushes_.load(); }, "flushes",
        "Requests for everything to be on stable storage");
    d.counter("waited", &DiskImage::waited_, "requests", "Not done at once");
    d.counter("in-ring", &DiskImage::in_ring_, "requests", "Of these: done by io_uring");
    d.gauge(
        "pending", [](DiskImage& t) { return t.queue_.pending(); }, "requests",
        "That are not done yet");
    d.counter(
        "failures", [](DiskImage& t) { return t.failures_.load(); }, "requests",
        "Refused by the host");
    d.counter(
        "cache.hits", [](DiskImage& t) { return t.cache_counters_.hits.load(); }, "blocks",
        "Read from the block cache");
    d.counter(
        "cache.shared", [](DiskImage& t) { return t.cache_counters_.shared.load(); }, "blocks",
        "Read by somebody else already when they were asked for");
    d.counter(
        "cache.misses", [](DiskImage& t) { return t.cache_counters_.misses.load(); }, "blocks",
        "That belong into the block cache, but were not there");
    d.gauge(
        "cache.hit-rate", [](DiskImage& t) { return t.hit_rate(); }, "percent",
        "Of blocks that were there when they were asked for");
    d.gauge(
        "cache.bytes", [](DiskImage& t) { return t.cache_counters_.bytes.load(); }, "bytes",
        "Of memory that the block cache has");
    d.counter(
        "prefetch.issued", [](DiskImage& t) { return t.cache_counters_.ahead_issued.load(); },
        "blocks", "Read before anybody asked for them");
    d.counter(
        "prefetch.used", [](DiskImage& t) { return t.cache_counters_.ahead_used.load(); }, "blocks",
        "Of these: asked for later");
    d.counter(
        "prefetch.wasted", [](DiskImage& t) { return t.cache_counters_.ahead_wasted.load(); },
        "blocks", "Of these: gone before anybody asked for them");
}

std::uint64_t DiskImage::hit_rate() const {
    const std::uint64_t hits = cache_counters_.hits;
    const std::uint64_t all = hits + cache_counters_.shared + cache_counters_.misses;
    return all == 0 ? 0 : hits * 100 / all;
}

}  // namespace backplane::storage
