// A VHD file whose disk's bytes lie one after another, with a footer behind them.
#pragma once

#include "images/byte_file.h"
#include "images/vhd/footer.h"

#include <memory>

namespace backplane::images::vhd {

class FixedVhd final : public ImageStorage {
public:
    FixedVhd(std::unique_ptr<ByteFile> file, Footer footer)
        : file_{std::move(file)}, footer_{std::move(footer)}, size_{footer_.disk_size()} {}

    std::uint64_t size() const override { return size_; }
    bool is_read_only() const override { return file_->is_read_only(); }
    bool can_discard() const override { return file_->can_discard(); }
    int read(std::uint64_t offset, Segments segments, Waiting waiting) override {
        return file_->read(offset, segments, waiting);
    }
    int write(std::uint64_t offset, Segments segments, Durability durability) override {
        return file_->write(offset, segments, durability);
    }
    int try_write(std::uint64_t offset, Segments segments) override {
        return file_->keeps_writes() ? file_->write(offset, segments, Durability::Cached) : EAGAIN;
    }
    bool begin_read(std::uint64_t offset, Segments segments, FileTask& task) override {
        return file_->begin_read(offset, segments, task);
    }
    bool begin_write(std::uint64_t offset, Segments segments, FileTask& task) override {
        return file_->begin_write(offset, segments, task);
    }
    int flush() override { return file_->flush(); }
    int discard(std::uint64_t offset, std::uint64_t length) override {
        return file_->discard(offset, length);
    }
    int write_zeroes(std::uint64_t offset, std::uint64_t length, bool may_discard) override {
        return file_->write_zeroes(offset, length, may_discard);
    }
    int resize(std::uint64_t size) override;
    int extent(std::uint64_t offset, std::uint64_t length, Extent& extent) override {
        return file_->extent(offset, length, extent);
    }

private:
    std::unique_ptr<ByteFile> file_;
    Footer footer_;
    std::uint64_t size_;
};

}  // namespace backplane::images::vhd
