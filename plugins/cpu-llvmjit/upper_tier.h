// What a tier above tier 1 is to it.
#pragma once

#include <cstddef>
#include <string>

namespace backplane::interp {
struct Block;
struct HotBlock;
class Interpreter;
}  // namespace backplane::interp

namespace backplane::jit {

class Tier1Compiler;

// [vcpu] all of it.
class UpperTier {
public:
    virtual ~UpperTier() = default;

    // Before anything else, once.
    virtual void attach(interp::Interpreter& cpu, Tier1Compiler& tier1) = 0;
    // There is no tier 1: each hot block is given to this one, which may refuse it.
    virtual bool is_alone() const = 0;
    virtual bool takes(const interp::HotBlock& hot) = 0;
    // The slice has ended in front of this block of compiled code, which is not entered: a sample
    // of what is executed.
    virtual void sampled(interp::Block& block) = 0;
    // The block is not valid any more.
    virtual void dropped(interp::Block& block) = 0;
    // All blocks are gone.
    virtual void released() = 0;
    virtual bool is_full() const = 0;
    // [safe point] Its code goes; what tier 1 has made is executed again.
    virtual void make_room() = 0;
    // Bytes of code; and whether this is part of it.
    virtual std::size_t used() const = 0;
    virtual bool has_code(const void* host) const = 0;

    // [outside run] For people: what it made of a block, in a few words; and all of it, or nothing.
    virtual std::string summary(const interp::Block& block) const = 0;
    virtual std::string text(const interp::Block& block) const = 0;
};

}  // namespace backplane::jit
