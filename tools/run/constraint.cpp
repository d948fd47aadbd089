#include "tools/run/constraint.h"

#include "core/text/tokenizer.h"
#include "tools/cli/files.h"

namespace loam {

std::unique_ptr<GrammarConstraint> make_constraint(const Arguments& args, const Tokenizer& tokenizer, size_t vocab) {
  struct Source {
    const char* name;
    bool file, schema;
  };
  static constexpr Source kSources[] = {{"--grammar", false, false},
                                        {"--grammar-file", true, false},
                                        {"--json-schema", false, true},
                                        {"--json-schema-file", true, true}};
  const Source* given = nullptr;
  for (const Source& s : kSources) {
    if (!args.has(s.name)) continue;
    if (given) throw UsageError(std::string(given->name) + " and " + s.name + " exclude each other");
    given = &s;
  }
  if (!given) return nullptr;
  const std::string text = given->file ? read_text_file(args.text(given->name)) : args.text(given->name);
  return std::make_unique<GrammarConstraint>(given->schema ? compile_json_schema(text) : compile_gbnf(text, &tokenizer),
                                             tokenizer.token_trie(vocab));
}

}  // namespace loam
