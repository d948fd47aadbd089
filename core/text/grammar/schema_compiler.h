// Turns a JSON schema into a grammar; the methods are in json_schema.cpp and schema_objects.cpp.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "core/text/grammar/schema_merge.h"

namespace loam {

class SchemaCompiler {
 public:
  explicit SchemaCompiler(const Schema& root) : root_(root), expander_(root) {}
  Grammar compile();

 private:
  using Id = Grammar::Id;
  struct Property {
    Id member;  // "name": value
    bool required;
  };
  struct Members {
    std::vector<Property> properties;
    bool open = false;  // more may follow
    Id more = 0;        // a member that is none of them
    uint64_t least = 0, most = Grammar::kNoLimit;
    std::map<std::vector<uint64_t>, uint32_t> rules;
  };

  uint32_t new_rule(std::string name);
  uint32_t rule_for(const Schema& schema, const std::string& at);
  uint64_t count(const FlatSchema& flat, const char* keyword, uint64_t otherwise);
  uint32_t members(Members& m, size_t i, uint64_t written, uint64_t different, bool more);
  Id define(std::string name, Id expr);
  void define_basics();
  Id quoted(Id inside);
  Id comma();
  Id part(const Schema& schema, const std::string& at);
  Id value(const FlatSchema& flat);
  Id values(const FlatSchema& flat);
  Id literal(const Schema& v);
  Id key(std::string_view name);
  Id string(const FlatSchema& flat);
  Id with_length(const StringPart& p, uint64_t least, uint64_t most, const std::string& at);
  Id array(const FlatSchema& flat);
  Id items(Id element, uint64_t prefix, uint64_t least, uint64_t most);
  Id object(const FlatSchema& flat);
  void add_more(const FlatSchema& flat, const std::vector<std::string>& names, Members& m);
  Id other_name(const std::vector<std::string>& names, size_t at);

  const Schema& root_;
  SchemaExpander expander_;
  Grammar g_;
  std::map<std::string, uint32_t> rules_;  // by the text of a schema
  Id space_ = 0, one_space_ = 0, char_ = 0, string_ = 0;
  int depth_ = 0;
};

}  // namespace loam
