// What is only needed on the way out is computed there.
#include "tier2/exit_sinking.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <llvm/AsmParser/Parser.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>
#include <llvm/IR/Verifier.h>
#include <llvm/Support/SourceMgr.h>
#include <llvm/Support/raw_ostream.h>

#include <memory>
#include <string>

namespace backplane::jit::tier2::testing {
namespace {

// The blocks of the function, behind the pass.
class Sunk {
public:
    explicit Sunk(const char* body) {
        const std::string text = std::string{"define void @f(ptr %p, i64 %a, i64 %b, i1 %c) {\n"} +
                                 body + "}\n";
        llvm::SMDiagnostic error;
        module_ = llvm::parseAssemblyString(text, error, context_);
        if (!module_) {
            ADD_FAILURE() << error.getMessage().str();
            return;
        }
        llvm::Function& function = *module_->getFunction("f");
        llvm::FunctionAnalysisManager analyses;
        ExitSinkingPass{}.run(function, analyses);
        EXPECT_FALSE(llvm::verifyFunction(function, &llvm::errs()));
    }

    std::string block(llvm::StringRef name) const {
        std::string text;
        llvm::raw_string_ostream stream{text};
        for (const llvm::BasicBlock& block : *module_->getFunction("f"))
            if (block.getName() == name) block.print(stream);
        return text;
    }

private:
    llvm::LLVMContext context_;
    std::unique_ptr<llvm::Module> module_;
};

using ::testing::HasSubstr, ::testing::Not;

TEST(ExitSinking, MovesWhatSeveralWaysOutNeed) {
    const Sunk f{"entry:\n"
                 "  %sum = add i64 %a, %b\n"
                 "  %aux = xor i64 %sum, %a\n"
                 "  br i1 %c, label %on, label %first\n"
                 "on:\n"
                 "  br i1 %c, label %entry2, label %second\n"
                 "entry2:\n"
                 "  br label %on\n"
                 "first:\n"
                 "  store i64 %aux, ptr %p\n"
                 "  ret void\n"
                 "second:\n"
                 "  store i64 %aux, ptr %p\n"
                 "  ret void\n"};
    EXPECT_THAT(f.block("entry"), Not(HasSubstr("xor")));
    EXPECT_THAT(f.block("entry"), Not(HasSubstr("add"))) << "nor what that was made of";
    for (const char* exit : {"first", "second"}) {
        EXPECT_THAT(f.block(exit), HasSubstr("xor"));
        EXPECT_THAT(f.block(exit), HasSubstr("add"));
    }
}

TEST(ExitSinking, LeavesWhatIsNeededOnTheWay) {
    const Sunk f{"entry:\n"
                 "  %sum = add i64 %a, %b\n"
                 "  %zero = icmp eq i64 %sum, 0\n"
                 "  br i1 %zero, label %on, label %exit\n"
                 "on:\n"
                 "  %next = phi i64 [ %sum, %entry ], [ %next, %on ]\n"
                 "  br i1 %c, label %on, label %exit\n"
                 "exit:\n"
                 "  store i64 %sum, ptr %p\n"
                 "  ret void\n"};
    EXPECT_THAT(f.block("entry"), HasSubstr("add"));
    EXPECT_THAT(f.block("exit"), Not(HasSubstr("add")));
}

TEST(ExitSinking, LeavesAccesses) {
    const Sunk f{"entry:\n"
                 "  %value = load i64, ptr %p\n"
                 "  store i64 %a, ptr %p\n"
                 "  br i1 %c, label %first, label %second\n"
                 "first:\n"
                 "  store i64 %value, ptr %p\n"
                 "  ret void\n"
                 "second:\n"
                 "  store i64 %value, ptr %p\n"
                 "  ret void\n"};
    EXPECT_THAT(f.block("entry"), HasSubstr("load"));
}

}  // namespace
}  // namespace backplane::jit::tier2::testing
