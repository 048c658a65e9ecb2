// Register banks as declarations: where each field lies, what it is bound to, what reading and
// writing do.
//
//   auto& bank = declaration.registers("registers", Width::Bits32, "Control block");
//   bank.at(0x0, "CONTROL").flag(0, "ENABLE", &Timer::enabled_).after_write(&Timer::rearm);
//   bank.at(0x8, "STATUS").flag(0, "EXPIRED", &Timer::expired_, Access::WriteOneToClear);
//
// Bits no field covers read as zero and ignore writes; offsets no register covers do too, and are
// logged at debug level. Accesses of any size and alignment are composed from the fields they
// touch. Bound members are saved state.
#pragma once

#include <backplane/device.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace backplane {

enum class Access : std::uint8_t {
    ReadWrite = BACKPLANE_READ_WRITE,
    ReadOnly = BACKPLANE_READ_ONLY,
    WriteOnly = BACKPLANE_WRITE_ONLY,
    WriteOneToClear = BACKPLANE_WRITE_ONE_TO_CLEAR,
    ReadToClear = BACKPLANE_READ_TO_CLEAR,
    WriteOneToSet = BACKPLANE_WRITE_ONE_TO_SET
};

enum class Width : std::uint32_t { Bits8 = 1, Bits16 = 2, Bits32 = 4, Bits64 = 8 };

constexpr std::uint64_t low_bits(unsigned count) {
    return count >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;
}

template <class T>
class RegisterDeclaration {
public:
    struct Field {
        const char* name;
        std::uint8_t first_bit, bits;
        Access access;
        std::function<std::uint64_t(T&)> get;
        std::function<void(T&, std::uint64_t)> set;
        std::function<void*(T&)> address;  // null for computed fields
        std::uint32_t size = 0;
        bool boolean = false;
    };

    RegisterDeclaration(std::uint64_t offset, const char* name, std::uint32_t width)
        : offset_{offset}, name_{name}, width_{width} {}

    // `accessor` is a pointer to a data member, or a callable from T& to a reference.
    template <class Accessor>
    RegisterDeclaration& field(unsigned first_bit, unsigned bits, const char* name,
                               Accessor accessor, Access access = Access::ReadWrite) {
        using Member = std::remove_cvref_t<std::invoke_result_t<Accessor, T&>>;
        fields_.push_back({
            .name = name,
            .first_bit = static_cast<std::uint8_t>(first_bit),
            .bits = static_cast<std::uint8_t>(bits),
            .access = access,
            .get =
                [accessor](T& device) {
                    return static_cast<std::uint64_t>(std::invoke(accessor, device));
                },
            .set =
                [accessor](T& device, std::uint64_t value) {
                    std::invoke(accessor, device) = static_cast<Member>(value);
                },
            .address =
                [accessor](T& device) {
                    return static_cast<void*>(&std::invoke(accessor, device));
                },
            .size = sizeof(Member),
            .boolean = std::is_same_v<Member, bool>,
        });
        return *this;
    }

    template <class Accessor>
    RegisterDeclaration& flag(unsigned bit, const char* name, Accessor accessor,
                              Access access = Access::ReadWrite) {
        return field(bit, 1, name, accessor, access);
    }

    // A field whose value is computed when read.
    template <class Function>
    RegisterDeclaration& computed(unsigned first_bit, unsigned bits, const char* name,
                                  Function read) {
        fields_.push_back({.name = name,
                           .first_bit = static_cast<std::uint8_t>(first_bit),
                           .bits = static_cast<std::uint8_t>(bits),
                           .access = Access::ReadOnly,
                           .get =
                               [read](T& device) {
                                   return static_cast<std::uint64_t>(std::invoke(read, device));
                               },
                           .set = nullptr,
                           .address = nullptr});
        return *this;
    }

    // Called after the fields took a write, and after a read had its side effects.
    template <class Function>
    RegisterDeclaration& after_write(Function function) {
        after_write_ = [function](T& device) { std::invoke(function, device); };
        return *this;
    }

    template <class Function>
    RegisterDeclaration& after_read(Function function) {
        after_read_ = [function](T& device) { std::invoke(function, device); };
        return *this;
    }

    std::uint64_t offset() const { return offset_; }
    const char* name() const { return name_; }
    std::uint32_t width() const { return width_; }
    const std::vector<Field>& fields() const { return fields_; }

    // `mask` are the register's bits that the access covers.
    std::uint64_t read(T& device, std::uint64_t mask) const {
        std::uint64_t value = 0;
        for (const Field& field : fields_) {
            const std::uint64_t covered = (mask >> field.first_bit) & low_bits(field.bits);
            if (covered == 0 || field.access == Access::WriteOnly) continue;
            const std::uint64_t current = field.get(device) & low_bits(field.bits);
            value |= (current & covered) << field.first_bit;
            if (field.access == Access::ReadToClear) field.set(device, current & ~covered);
        }
        if (after_read_) after_read_(device);
        return value;
    }

    void write(T& device, std::uint64_t mask, std::uint64_t value) const {
        for (const Field& field : fields_) {
            const std::uint64_t covered = (mask >> field.first_bit) & low_bits(field.bits);
            if (covered == 0) continue;
            const std::uint64_t written = (value >> field.first_bit) & covered;
            switch (field.access) {
            case Access::ReadWrite:
            case Access::WriteOnly:
                field.set(device, (field.get(device) & ~covered & low_bits(field.bits)) | written);
                break;
            case Access::WriteOneToClear: field.set(device, field.get(device) & ~written); break;
            case Access::WriteOneToSet: field.set(device, field.get(device) | written); break;
            case Access::ReadOnly:
            case Access::ReadToClear: break;
            }
        }
        if (after_write_) after_write_(device);
    }

private:
    std::uint64_t offset_;
    const char* name_;
    std::uint32_t width_;
    std::vector<Field> fields_;
    std::function<void(T&)> after_write_, after_read_;
};

template <class T>
class RegisterBank {
public:
    RegisterBank(const char* name, Width width)
        : name_{name}, width_{static_cast<std::uint32_t>(width)} {}

    RegisterDeclaration<T>& at(std::uint64_t offset, const char* name) {
        return registers_.emplace_back(offset, name, width_);
    }

    RegisterDeclaration<T>& at(std::uint64_t offset, const char* name, Width width) {
        return registers_.emplace_back(offset, name, static_cast<std::uint32_t>(width));
    }

    const std::deque<RegisterDeclaration<T>>& registers() const { return registers_; }

    // The end of the last register, rounded up to a power of two as address decoders do.
    std::uint64_t size() const {
        std::uint64_t end = 1;
        for (const auto& reg : registers_)
            while (end < reg.offset() + reg.width())
                end <<= 1;
        return end;
    }

    std::uint64_t read(T& device, std::uint64_t offset, std::uint32_t size) const {
        std::uint64_t value = 0;
        const bool known = for_each_covered(
            offset, size, [&](const RegisterDeclaration<T>& reg, std::uint64_t mask, int shift) {
                const std::uint64_t part = reg.read(device, mask);
                value |= shift >= 0 ? part << shift : part >> -shift;
            });
        if (!known) device.log(LogLevel::Debug, name_, ": read of unknown register ", Hex{offset});
        return value;
    }

    void write(T& device, std::uint64_t offset, std::uint32_t size, std::uint64_t value) const {
        const bool known = for_each_covered(
            offset, size, [&](const RegisterDeclaration<T>& reg, std::uint64_t mask, int shift) {
                reg.write(device, mask, shift >= 0 ? value >> shift : value << -shift);
            });
        if (!known)
            device.log(LogLevel::Debug, name_, ": write of ", Hex{value}, " to unknown register ",
                       Hex{offset});
    }

private:
    // Calls visit(register, mask of its bits in the access, bit position of the register within the
    // access).
    template <class Visit>
    bool for_each_covered(std::uint64_t offset, std::uint32_t size, Visit visit) const {
        bool any = false;
        for (const auto& reg : registers_) {
            if (reg.offset() >= offset + size || offset >= reg.offset() + reg.width()) continue;
            any = true;
            const int shift = static_cast<int>(
                (static_cast<std::int64_t>(reg.offset()) - static_cast<std::int64_t>(offset)) * 8);
            const std::uint64_t access = low_bits(size * 8);
            const std::uint64_t mask = (shift >= 0 ? access >> shift : access << -shift) &
                                       low_bits(reg.width() * 8);
            visit(reg, mask, shift);
        }
        return any;
    }

    const char* name_;
    std::uint32_t width_;
    std::deque<RegisterDeclaration<T>> registers_;
};

}  // namespace backplane
