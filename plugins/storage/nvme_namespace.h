// A namespace: an image as blocks of one size. (NVM Express 1.4, 5.15.2.1)
#pragma once

#include <backplane/block.h>

#include <cstdint>
#include <functional>
#include <utility>

namespace backplane::storage::nvme {

class Namespace {
public:
    // `changed` is called when there are more or fewer blocks, or none.
    Namespace(std::uint32_t id, const BlockDevice& image, unsigned block_shift,
              std::function<void()> changed)
        : id_{id}, image_{image}, block_shift_{block_shift}, changed_{std::move(changed)},
          info_{image.info()} {}

    // Once, where it stays.
    void listen() { image_.listen(*this); }
    void resized() { medium_changed(); }
    void medium_changed() {
        info_ = image_.info();
        changed_();
    }

    std::uint32_t id() const { return id_; }
    const BlockDevice& image() const { return image_; }
    unsigned block_shift() const { return block_shift_; }
    std::uint64_t blocks() const { return info_.size >> block_shift_; }
    // One without blocks is not there. (6.1.2)
    bool is_active() const { return info_.has_medium() && blocks() != 0; }
    bool is_read_only() const { return info_.is_read_only(); }
    bool can_discard() const { return info_.can_discard(); }
    std::uint32_t physical_block_size() const { return info_.physical_block_size; }

    bool holds(std::uint64_t first, std::uint64_t count) const {
        return first <= blocks() && count <= blocks() - first;
    }

private:
    std::uint32_t id_;
    BlockDevice image_;
    unsigned block_shift_;
    std::function<void()> changed_;
    BlockInfo info_;
};

}  // namespace backplane::storage::nvme
