// Physical pages of which other processors of the machine keep decoded code.
//
// This processor writes directly only into pages that nobody else keeps code of. When another one
// begins to, all others are at a safe point and are told, and give up their direct way to write
// before they execute anything else (backplane_address_space_listener::code_watched). To write
// there again this one claims the page: then the others drop their code of it, and ask again before
// they decode it anew. So a page is either written by some or executed by others, as a line in the
// caches of real processors is, and code that one processor modifies is seen by the others as soon
// as the write is.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

namespace backplane::interp {

class ForeignCode {
public:
    // [any] Another processor keeps code of this page from now on, or no longer does.
    void post(std::uint64_t page, bool watch) {
        const std::scoped_lock lock{mutex_};
        posted_.push_back({page, watch});
        has_posted_ = true;
    }

    // [vcpu] Takes what was posted; `lose` is called for each page that must not be written
    // directly any more.
    template <class F>
    void update(F lose) {
        if (!has_posted_.load(std::memory_order_relaxed)) return;
        std::vector<Posted> posted;
        {
            const std::scoped_lock lock{mutex_};
            posted.swap(posted_);
            has_posted_ = false;
        }
        for (const auto& [page, watch] : posted) {
            if (watch) {
                Page& entry = pages_[page];
                ++entry.watchers;
                entry.is_claimed = false;
                lose(page);
            } else if (const auto found = pages_.find(page);
                       found != pages_.end() && --found->second.watchers == 0) {
                pages_.erase(found);
            }
        }
    }

    // [vcpu]
    bool contains(std::uint64_t page) const {
        if (pages_.empty()) return false;
        const auto found = pages_.find(page);
        return found != pages_.end() && !found->second.is_claimed;
    }

    // [vcpu] This processor claimed the page: until somebody decodes it anew, nobody has code of
    // it.
    void claimed(std::uint64_t page) {
        if (const auto found = pages_.find(page); found != pages_.end())
            found->second.is_claimed = true;
    }

private:
    struct Posted {
        std::uint64_t page;
        bool watch;
    };
    struct Page {
        std::uint32_t watchers = 0;
        bool is_claimed = false;
    };

    std::unordered_map<std::uint64_t, Page> pages_;
    std::mutex mutex_;
    std::vector<Posted> posted_;  // by mutex_
    std::atomic<bool> has_posted_{false};
};

}  // namespace backplane::interp
