#include "tier2/region_function.h"

#include "interp/core.h"
#include "interp/dispatch.h"
#include "tier1/core_offsets.h"
#include "tier2/exits.h"

#include <llvm/Analysis/ValueTracking.h>
#include <llvm/IR/Constants.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/MDBuilder.h>
#include <llvm/Transforms/Utils/Cloning.h>

#include <cstddef>
#include <map>
#include <set>
#include <utility>
#include <vector>

namespace backplane::jit::tier2 {
namespace {

using interp::Core;
using x86::CpuState;
using Kind = RegionInstruction::Kind;

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Winvalid-offsetof"
constexpr std::uint64_t block_offset = offsetof(Core, block),
                        block_ip_offset = offsetof(CpuState, block_ip),
                        zero_offset = offsetof(CpuState, zero),
                        address_offset = offsetof(CpuState, effective_address),
                        vectors_offset = offsetof(CpuState, vectors),
                        vectors_end = vectors_offset + sizeof(CpuState::vectors),
                        kept_offset = offset_of::kept;
#pragma clang diagnostic pop
static_assert(vectors_offset % 16 == 0);

// What registers are read and written as: words, and halves of vector registers.
constexpr std::uint64_t part_of(std::uint64_t offset) {
    const bool is_vector = offset >= vectors_offset && offset < vectors_end;
    return offset & ~std::uint64_t{is_vector ? 15u : 7u};
}

class RegionFunction {
public:
    RegionFunction(SemanticsModule& semantics, const Region& region)
        : semantics_{semantics}, region_{region}, context_{semantics.module().getContext()},
          b_{context_} {}

    std::unique_ptr<llvm::Module> make() {
        declare();
        for (std::size_t i = 0; i < region_.nodes.size(); ++i)
            bodies_.push_back(block("node"));
        for (std::size_t i = 0; i < region_.nodes.size(); ++i)
            emit_node(i);
        bool done = did_something_;
        if (done) {
            inline_all();
            done = find_parts();
        }
        if (!done) {
            function_->eraseFromParent();
            return nullptr;
        }
        emit_loads();
        emit_stores();
        keep_order_of_accesses();
        return move_out();
    }

private:
    // ---- The frame ----

    void declare() {
        llvm::Type* pointer = b_.getPtrTy();
        handler_type_ = llvm::FunctionType::get(
            b_.getVoidTy(), {pointer, pointer, pointer, b_.getInt64Ty()}, false);
        function_ = llvm::Function::Create(handler_type_, llvm::GlobalValue::ExternalLinkage,
                                           region_symbol, semantics_.module());
        function_->setCallingConv(llvm::CallingConv::PreserveNone);
        function_->addFnAttr(llvm::Attribute::NoUnwind);
        function_->addFnAttr("no-jump-tables", "true");
        semantics_.set_target(*function_);
        core_ = function_->getArg(0);
        core_->setName("core");
        entry_ = block("entry");
        b_.SetInsertPoint(entry_);
        state_ = b_.CreateAlloca(llvm::ArrayType::get(b_.getInt8Ty(), sizeof(CpuState)), nullptr,
                                 "state");
        state_->setAlignment(llvm::Align{alignof(CpuState)});
        target_ = b_.CreateAlloca(b_.getInt64Ty(), nullptr, "target");
        pages_ = core_part(offset_of::tlb_of(region_.view), "pages");
        // What follows comes once it is known which registers matter.
        first_ = block("first");
        b_.CreateBr(first_);
    }

    llvm::BasicBlock* block(const char* name) {
        return llvm::BasicBlock::Create(context_, name, function_);
    }

    llvm::Value* core_part(std::uint64_t offset, const char* name = "") {
        return b_.CreateConstInBoundsGEP1_64(b_.getInt8Ty(), core_, offset, name);
    }
    llvm::Value* state_part(std::uint64_t offset) {
        return b_.CreateConstInBoundsGEP1_64(b_.getInt8Ty(), state_, offset);
    }
    llvm::Value* address(const void* what) {
        return b_.CreateIntToPtr(b_.getInt64(reinterpret_cast<std::uint64_t>(what)), b_.getPtrTy());
    }

    // ---- Nodes ----

    void emit_node(std::size_t number) {
        const RegionNode& node = region_.nodes[number];
        b_.SetInsertPoint(bodies_[number]);
        const auto count = node.instructions.size();
        for (std::size_t i = 0; i < count; ++i)
            if (!emit(node, i)) return;
        go(node, count - 1, node.next);
    }

    // The budget is asked at each edge, and not once in front of the block: so what the way out
    // needs is known there, and nothing has to be carried around a loop for it. Another thread may
    // have made it negative, hence it stays in memory.
    void enter(const RegionNode& node, std::uint64_t refund) {
        subtract_from_budget(node.length - refund,
                             bodies_[static_cast<std::size_t>(&node - region_.nodes.data())], [&] {
                                 note_block(node);
                                 leave(handler(&backplane_tier2_out_of_budget), node.ops);
                             });
    }

    void subtract_from_budget(std::uint64_t instructions, llvm::BasicBlock* enough,
                              auto&& otherwise) {
        llvm::Value* budget = core_part(offset_of::budget);
        llvm::Value* before = b_.CreateLoad(b_.getInt64Ty(), budget, /*isVolatile=*/true);
        llvm::Value* left = b_.CreateSub(before, b_.getInt64(instructions));
        b_.CreateStore(left, budget, /*isVolatile=*/true);
        llvm::BasicBlock* exit = block("budget");
        b_.CreateCondBr(b_.CreateICmpSLT(left, b_.getInt64(0)), exit, enough, unlikely());
        b_.SetInsertPoint(exit);
        otherwise();
    }

    // False: control does not go on behind it.
    bool emit(const RegionNode& node, std::size_t i) {
        const RegionInstruction& instruction = node.instructions[i];
        llvm::Function* main = nullptr;
        llvm::Function* front = nullptr;
        if (instruction.kind != Kind::NotCovered) {
            main = semantics_.function(instruction.main.form);
            if (!instruction.address.form.empty())
                front = semantics_.function(instruction.address.form);
        }
        if (!main || (!front && !instruction.address.form.empty())) {
            leave_before(node, instruction);
            return false;
        }
        did_something_ = true;
        if (front) call(*front, instruction.address.op);
        llvm::Value* outcome = call(*main, instruction.main.op);
        const auto is = [&](x86::Outcome wanted) {
            return b_.CreateICmpEQ(outcome, b_.getInt8(static_cast<std::uint8_t>(wanted)));
        };
        llvm::BasicBlock* failed = block("leave");
        const bool ends = instruction.kind != Kind::Plain;
        if (ends) {
            llvm::BasicBlock* taken = block("taken");
            llvm::BasicBlock* other = block("other");
            b_.CreateCondBr(is(x86::Outcome::Jump), taken, other);
            b_.SetInsertPoint(taken);
            if (instruction.kind == Kind::Relative)
                go(node, i, instruction.taken);
            else
                go_to(b_.CreateLoad(b_.getInt64Ty(), target_));
            b_.SetInsertPoint(other);
        }
        if (instruction.kind == Kind::Indirect) {
            b_.CreateBr(failed);
        } else {
            llvm::BasicBlock* next = block("next");
            b_.CreateCondBr(is(x86::Outcome::Next), next, failed, ends ? nullptr : likely());
            b_.SetInsertPoint(failed);
            leave_before(node, instruction);
            b_.SetInsertPoint(next);
            return true;
        }
        b_.SetInsertPoint(failed);
        leave_before(node, instruction);
        return false;
    }

    llvm::Value* call(llvm::Function& form, const x86::Op& op) {
        llvm::CallInst* call = b_.CreateCall(
            &form,
            {state_, pages_, target_, b_.getInt8(op.reg), b_.getInt8(op.rm), b_.getInt8(op.base),
             b_.getInt8(op.index), b_.getInt8(op.scale), b_.getInt8(op.length),
             b_.getInt16(op.offset), b_.getInt32(static_cast<std::uint32_t>(op.displacement)),
             b_.getInt32(op.extra), b_.getInt64(op.immediate)});
        calls_.push_back(call);
        return call;
    }

    // ---- Ways on and out ----

    // Behind instruction `i` to this offset in the page; the rest of the block goes back to the
    // budget.
    void go(const RegionNode& node, std::size_t i, std::int64_t to) {
        const std::uint64_t rest = node.length - (i + 1);
        const RegionNode* next = region_.node_at(to);
        if (next) {
            enter(*next, rest);
            return;
        }
        llvm::Value* ip = b_.CreateAdd(b_.CreateLoad(b_.getInt64Ty(), state_part(block_ip_offset)),
                                       b_.getInt64(static_cast<std::uint64_t>(to)));
        // To another page, the interpreter executes the branch again, which asks whether the target
        // is canonical and links the blocks. A LOOP has asked, and must not count twice.
        const RegionInstruction& last = node.instructions[i];
        const bool stays = to >= 0 && to < static_cast<std::int64_t>(x86::page_size);
        if (stays || last.kind != Kind::Relative || last.changes_registers) {
            if (rest != 0) refund(rest);
            go_to(ip);
            return;
        }
        b_.CreateStore(b_.getInt64(rest), core_part(kept_offset));
        note_block(node);
        leave(handler(&backplane_tier2_go_far), node.ops + last.first_op, ip);
    }

    void refund(std::uint64_t instructions) {
        llvm::Value* budget = core_part(offset_of::budget);
        llvm::Value* before = b_.CreateLoad(b_.getInt64Ty(), budget, /*isVolatile=*/true);
        b_.CreateStore(b_.CreateAdd(before, b_.getInt64(instructions)), budget,
                       /*isVolatile=*/true);
    }

    void go_to(llvm::Value* ip) { leave(handler(&backplane_tier2_go_to), nullptr, ip); }

    void leave_before(const RegionNode& node, const RegionInstruction& instruction) {
        note_block(node);
        const bool is_known = instruction.kind != Kind::NotCovered;
        leave(
            handler(is_known ? &backplane_tier2_leave_failed : &backplane_tier2_leave_not_covered),
            node.ops + instruction.first_op);
    }

    void note_block(const RegionNode& node) {
        b_.CreateStore(address(node.block), core_part(block_offset));
        llvm::Value* page = b_.CreateLoad(b_.getInt64Ty(), state_part(block_ip_offset));
        b_.CreateStore(b_.CreateAdd(page, b_.getInt64(node.offset)), core_part(block_ip_offset));
    }

    llvm::Value* handler(interp::HandlerFunction function) {
        return address(reinterpret_cast<const void*>(function));
    }

    void leave(llvm::Value* handler, const x86::Op* op, llvm::Value* last = nullptr) {
        llvm::CallInst* call = b_.CreateCall(
            handler_type_, handler, {core_, address(op), pages_, last ? last : b_.getInt64(0)});
        call->setCallingConv(llvm::CallingConv::PreserveNone);
        call->setTailCallKind(llvm::CallInst::TCK_MustTail);
        b_.CreateRetVoid();
        exits_.push_back(call);
    }

    llvm::MDNode* unlikely() { return llvm::MDBuilder{context_}.createBranchWeights(1, 2000); }
    llvm::MDNode* likely() { return llvm::MDBuilder{context_}.createBranchWeights(2000, 1); }

    // ---- Registers ----

    void inline_all() {
        for (llvm::CallInst* call : calls_) {
            llvm::InlineFunctionInfo info;
            if (!llvm::InlineFunction(*call, info).isSuccess())
                llvm::report_fatal_error("a semantic cannot be inlined");
        }
    }

    // Which parts of the registers are read or written. False: some are reached by an address that
    // is not constant.
    bool find_parts() {
        const llvm::DataLayout& layout = semantics_.module().getDataLayout();
        std::vector<llvm::Value*> pointers{state_};
        std::set<llvm::Value*> seen;
        while (!pointers.empty()) {
            llvm::Value* pointer = pointers.back();
            pointers.pop_back();
            if (!seen.insert(pointer).second) continue;
            for (llvm::User* user : pointer->users()) {
                if (llvm::isa<llvm::GetElementPtrInst>(user)) {
                    pointers.push_back(user);
                    continue;
                }
                llvm::APInt offset{64, 0};
                const auto* base = pointer->stripAndAccumulateConstantOffsets(layout, offset, true);
                if (base != state_) return false;
                if (auto* load = llvm::dyn_cast<llvm::LoadInst>(user)) {
                    note(offset.getZExtValue(), layout.getTypeStoreSize(load->getType()), false);
                } else if (auto* store = llvm::dyn_cast<llvm::StoreInst>(user)) {
                    if (store->getValueOperand() == pointer) return false;
                    note(offset.getZExtValue(),
                         layout.getTypeStoreSize(store->getValueOperand()->getType()), true);
                } else if (auto* set = llvm::dyn_cast<llvm::MemSetInst>(user)) {
                    const auto* length = llvm::dyn_cast<llvm::ConstantInt>(set->getLength());
                    if (!length) return false;
                    note(offset.getZExtValue(), length->getZExtValue(), true);
                } else if (auto* copy = llvm::dyn_cast<llvm::MemTransferInst>(user)) {
                    const auto* length = llvm::dyn_cast<llvm::ConstantInt>(copy->getLength());
                    if (!length) return false;
                    note(offset.getZExtValue(), length->getZExtValue(),
                         copy->getRawDest() == pointer);
                } else if (!llvm::isa<llvm::LifetimeIntrinsic>(user)) {
                    return false;
                }
            }
        }
        return true;
    }

    void note(std::uint64_t offset, std::uint64_t bytes, bool writes) {
        for (std::uint64_t part = part_of(offset); part < offset + bytes;) {
            parts_[part] |= writes;
            part += type_of(part)->isIntegerTy() ? 8 : 16;
        }
    }

    llvm::Type* type_of(std::uint64_t part) {
        const bool is_vector = part >= vectors_offset && part < vectors_end;
        return is_vector ? static_cast<llvm::Type*>(llvm::FixedVectorType::get(b_.getInt64Ty(), 2))
                         : b_.getInt64Ty();
    }

    void emit_loads() {
        b_.SetInsertPoint(first_);
        for (const auto& [part, writes] : parts_) {
            llvm::Value* value = nullptr;
            if (part == zero_offset)
                value = b_.getInt64(0);
            else if (part != address_offset)
                value = b_.CreateAlignedLoad(type_of(part), core_part(part), llvm::Align{8});
            if (part == block_ip_offset)
                value = b_.CreateSub(value, b_.getInt64(region_.nodes[0].offset));
            if (value) b_.CreateAlignedStore(value, state_part(part), llvm::Align{8});
        }
        b_.CreateBr(bodies_[0]);
    }

    void emit_stores() {
        for (llvm::CallInst* exit : exits_) {
            b_.SetInsertPoint(exit);
            for (const auto& [part, writes] : parts_) {
                if (!writes || part == block_ip_offset || part == address_offset) continue;
                llvm::Value* value = b_.CreateAlignedLoad(type_of(part), state_part(part),
                                                          llvm::Align{8});
                b_.CreateAlignedStore(value, core_part(part), llvm::Align{8});
            }
        }
    }

    // ---- Memory ----

    // Translations do not change while the region is executed. Guest memory is what is reached
    // through the addresses they give.
    void keep_order_of_accesses() {
        llvm::MDNode* empty = llvm::MDNode::get(context_, {});
        for (llvm::Instruction& instruction : llvm::instructions(*function_)) {
            llvm::Value* pointer = nullptr;
            if (auto* load = llvm::dyn_cast<llvm::LoadInst>(&instruction))
                pointer = load->getPointerOperand();
            else if (auto* store = llvm::dyn_cast<llvm::StoreInst>(&instruction))
                pointer = store->getPointerOperand();
            else
                continue;
            const llvm::Value* base = llvm::getUnderlyingObject(pointer);
            if (llvm::isa<llvm::IntToPtrInst>(base)) {
                if (auto* load = llvm::dyn_cast<llvm::LoadInst>(&instruction))
                    load->setVolatile(true);
                else
                    llvm::cast<llvm::StoreInst>(instruction).setVolatile(true);
            } else if (base == core_ && reaches_pages(pointer)) {
                instruction.setMetadata(llvm::LLVMContext::MD_invariant_load, empty);
            }
        }
    }

    bool reaches_pages(const llvm::Value* pointer) const {
        while (const auto* step = llvm::dyn_cast<llvm::GetElementPtrInst>(pointer)) {
            pointer = step->getPointerOperand();
            if (pointer == pages_) return true;
        }
        return pointer == pages_;
    }

    // The function alone, with what it refers to.
    std::unique_ptr<llvm::Module> move_out() {
        auto module = std::make_unique<llvm::Module>("region", context_);
        module->setDataLayout(semantics_.module().getDataLayout());
        module->setTargetTriple(semantics_.module().getTargetTriple());
        function_->removeFromParent();
        module->getFunctionList().push_back(function_);
        for (llvm::Instruction& instruction : llvm::instructions(*function_)) {
            auto* call = llvm::dyn_cast<llvm::CallInst>(&instruction);
            const llvm::Function* callee = call ? call->getCalledFunction() : nullptr;
            if (!callee) continue;
            call->setCalledFunction(module->getOrInsertFunction(
                callee->getName(), callee->getFunctionType(), callee->getAttributes()));
        }
        return module;
    }

    SemanticsModule& semantics_;
    const Region& region_;
    llvm::LLVMContext& context_;
    llvm::IRBuilder<> b_;
    llvm::FunctionType* handler_type_ = nullptr;
    llvm::Function* function_ = nullptr;
    llvm::Argument* core_ = nullptr;
    llvm::BasicBlock *entry_ = nullptr, *first_ = nullptr;
    llvm::AllocaInst *state_ = nullptr, *target_ = nullptr;
    llvm::Value* pages_ = nullptr;
    std::vector<llvm::BasicBlock*> bodies_;
    std::vector<llvm::CallInst*> calls_, exits_;
    std::map<std::uint64_t, bool> parts_;  // of CpuState; whether they are written
    bool did_something_ = false;
};

}  // namespace

std::unique_ptr<llvm::Module> make_region_module(SemanticsModule& semantics, const Region& region) {
    return RegionFunction{semantics, region}.make();
}

}  // namespace backplane::jit::tier2
