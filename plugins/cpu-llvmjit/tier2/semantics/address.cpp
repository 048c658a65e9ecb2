#include "tier2/covered_families.h"
#include "tier2/semantics/bitcode.h"

using Engine = backplane::jit::tier2::BitcodeEngine;

template Engine::Handler
backplane::x86::forms::bind_address<Engine>(const backplane::x86::Instruction&,
                                            backplane::x86::Op&);
