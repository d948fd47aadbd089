// A JSON schema (draft 2020-12) as a grammar of the JSON texts that we let a model write.
#pragma once
#include <string_view>

#include "core/text/grammar/grammar.h"

namespace loam {

Grammar grammar_from_json_schema(std::string_view schema);

}  // namespace loam
