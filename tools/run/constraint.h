// What an answer may look like, from the command line.
#pragma once
#include <memory>

#include "core/text/grammar/grammar_constraint.h"
#include "tools/cli/args.h"

namespace loam {

// By --grammar, --grammar-file, --json-schema or --json-schema-file; null where none is given. UsageError where several
// are. `vocab`: how many logits the model has.
std::unique_ptr<GrammarConstraint> make_constraint(const Arguments& args, const Tokenizer& tokenizer, size_t vocab);

}  // namespace loam
