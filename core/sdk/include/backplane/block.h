// Block backends (abi/block.h) in C++: a member for whoever uses one, a declaration for whoever is
// one.
#pragma once

#include <backplane/connection.h>
#include <backplane/declaration.h>
#include <backplane/thunk.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace backplane {

enum class BlockOperation : std::uint32_t {
    Read = BACKPLANE_BLOCK_READ,
    Write = BACKPLANE_BLOCK_WRITE,
    Flush = BACKPLANE_BLOCK_FLUSH,
    Discard = BACKPLANE_BLOCK_DISCARD,
    WriteZeroes = BACKPLANE_BLOCK_WRITE_ZEROES
};

enum class BlockResult : std::int32_t {
    Ok = BACKPLANE_BLOCK_OK,
    Pending = BACKPLANE_BLOCK_PENDING,
    Failed = BACKPLANE_BLOCK_FAILED,
    NoSpace = BACKPLANE_BLOCK_NO_SPACE,
    ReadOnly = BACKPLANE_BLOCK_READ_ONLY,
    NoMedium = BACKPLANE_BLOCK_NO_MEDIUM,
    Invalid = BACKPLANE_BLOCK_INVALID,
    Refused = BACKPLANE_BLOCK_REFUSED
};

struct BlockInfo : backplane_block_info {
    bool has_medium() const { return (flags & BACKPLANE_BLOCK_HAS_MEDIUM) != 0; }
    bool is_read_only() const { return (flags & BACKPLANE_BLOCK_IS_READ_ONLY) != 0; }
    bool is_removable() const { return (flags & BACKPLANE_BLOCK_IS_REMOVABLE) != 0; }
    bool can_discard() const { return (flags & BACKPLANE_BLOCK_CAN_DISCARD) != 0; }
};

// A member of a device that uses a backend, bound through Declaration::connects.
class BlockDevice : public Connection<backplane_block> {
public:
    using Connection::Connection;

    BlockInfo info() const {
        BlockInfo info{};
        info.struct_size = sizeof(backplane_block_info);
        if (*this) call<&backplane_block::describe>(static_cast<backplane_block_info*>(&info));
        return info;
    }

    // The result, or Pending: then `complete` is called later, and the segments stay until it is.
    BlockResult submit(BlockOperation operation, std::uint64_t offset, std::uint64_t length,
                       std::span<const backplane_block_segment> segments,
                       void (*complete)(void* user, std::int32_t result), void* user,
                       std::uint32_t flags = 0) const {
        const backplane_block_request request{sizeof request,
                                              static_cast<std::uint32_t>(operation),
                                              flags,
                                              static_cast<std::uint32_t>(segments.size()),
                                              offset,
                                              length,
                                              segments.data(),
                                              complete,
                                              user};
        return static_cast<BlockResult>(call<&backplane_block::submit>(&request));
    }

    void wait() const { call<&backplane_block::wait>(); }

    // void resized(), void medium_changed() and void eject_requested() of `user`, where it has
    // them.
    template <class T>
    void listen(T& user) const {
        backplane_block_listener listener{};
        listener.struct_size = sizeof listener;
        if constexpr (requires { user.resized(); }) listener.resized = thunk<&T::resized>;
        if constexpr (requires { user.medium_changed(); })
            listener.medium_changed = thunk<&T::medium_changed>;
        if constexpr (requires { user.eject_requested(); })
            listener.eject_requested = thunk<&T::eject_requested>;
        listener.user = &user;
        call<&backplane_block::listen>(static_cast<const backplane_block_listener*>(&listener));
    }

    void lock_medium(bool locked) const {
        if (has<&backplane_block::lock_medium>())
            call<&backplane_block::lock_medium>(std::int32_t{locked});
    }
};

// One request after another for a device that never has two in flight. `done` is a member function
// of T, void(BlockResult), for results that come later.
template <auto done>
class BlockTransfer;

template <class T, void (T::*done)(BlockResult)>
class BlockTransfer<done> {
public:
    // The result, or Pending: then `done` of `owner` gets it. `bytes` stay until it is there. Of
    // requests without data the length alone counts.
    BlockResult start(T& owner, const BlockDevice& device, BlockOperation operation,
                      std::uint64_t offset, std::uint64_t length, std::byte* bytes = nullptr,
                      std::uint32_t flags = 0) {
        owner_ = &owner;
        segment_ = {bytes, length};
        const std::span<const backplane_block_segment> segments{&segment_,
                                                                bytes != nullptr ? 1u : 0u};
        const BlockResult result = device.submit(operation, offset, length, segments, &complete,
                                                 this, flags);
        is_pending_ = result == BlockResult::Pending;
        return result;
    }

    bool is_pending() const { return is_pending_; }

    // Returns when the bytes are no longer in use; the result goes nowhere.
    void cancel(const BlockDevice& device) {
        if (!is_pending_) return;
        owner_ = nullptr;
        device.wait();
    }

private:
    static void complete(void* self, std::int32_t result) noexcept {
        auto& transfer = *static_cast<BlockTransfer*>(self);
        transfer.is_pending_ = false;
        if (transfer.owner_ != nullptr) (transfer.owner_->*done)(static_cast<BlockResult>(result));
    }

    T* owner_ = nullptr;
    backplane_block_segment segment_{};
    bool is_pending_ = false;
};

// Declares that T is a backend. T has:
//
//   void describe(backplane_block_info& info)
//   void listen(const backplane_block_listener& listener)   copy struct_size bytes of it
//   BlockResult submit(const backplane_block_request& request)
//   void wait()
//
// and, where it can, BlockResult resize(std::uint64_t size), void lock_medium(bool locked), and
// BlockResult change_medium(const char* path, bool force).
template <class T>
void provides_block(Declaration<T>& d, const char* name, const char* doc) {
    static constexpr auto self = [](void* object) -> T& { return *static_cast<T*>(object); };
    static constexpr backplane_block functions = [] {
        backplane_block table{};
        table.struct_size = sizeof table;
        table.describe = [](void* object, backplane_block_info* info) noexcept {
            self(object).describe(*info);
        };
        table.listen = [](void* object, const backplane_block_listener* listener) noexcept {
            self(object).listen(*listener);
        };
        table.submit = [](void* object, const backplane_block_request* request) noexcept {
            return static_cast<std::int32_t>(self(object).submit(*request));
        };
        table.wait = [](void* object) noexcept { self(object).wait(); };
        if constexpr (requires(T& t) { t.resize(std::uint64_t{}); })
            table.resize = [](void* object, std::uint64_t size) noexcept {
                return static_cast<std::int32_t>(self(object).resize(size));
            };
        if constexpr (requires(T& t) { t.lock_medium(true); })
            table.lock_medium = [](void* object, std::int32_t locked) noexcept {
                self(object).lock_medium(locked != 0);
            };
        if constexpr (requires(T& t) { t.change_medium("", true); })
            table.change_medium = [](void* object, const char* path, std::int32_t force) noexcept {
                return static_cast<std::int32_t>(self(object).change_medium(path, force != 0));
            };
        return table;
    }();
    d.provides(name, functions, doc);
}

}  // namespace backplane
