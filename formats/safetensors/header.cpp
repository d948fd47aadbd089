#include "formats/safetensors/header.h"

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "formats/byte_reader.h"

namespace loam {
namespace {

using nlohmann::json;

constexpr int kMaxDepth = 16;
constexpr size_t kMaxDims = 8;

// What both JSON handlers share: where they are, and errors that say it. Values that nobody asked for are skipped.
class Handler : public nlohmann::json_sax<json> {
 public:
  explicit Handler(const std::string& path) : path_(path) {}

  bool null() override { return other("null"); }
  bool boolean(bool) override { return other("a boolean"); }
  bool number_integer(number_integer_t) override { return other("a negative number"); }
  bool number_unsigned(number_unsigned_t) override { return other("a number"); }
  bool number_float(number_float_t, const string_t&) override { return other("a fraction"); }
  bool string(string_t&) override { return other("a string"); }
  bool binary(binary_t&) override { return other("binary data"); }
  bool start_object(std::size_t) override { return enter(true); }
  bool end_object() override { return leave(); }
  bool start_array(std::size_t) override { return enter(false); }
  bool end_array() override { return leave(); }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    fail(Code::bad_file, "%s: its JSON is broken at byte %zu; fetch the file again", path_.c_str(), position);
  }

 protected:
  virtual bool other(const char* what) = 0;  // a value where the handler expects none
  virtual bool enter(bool object) {
    if (depth_ == 0 && !object) bad("is not an object");
    if (++depth_ > kMaxDepth) bad("is nested deeper than %d levels", kMaxDepth);
    return true;
  }
  virtual bool leave() {
    --depth_;
    return true;
  }
  [[noreturn, gnu::format(printf, 2, 3)]] void bad(const char* format, ...) const {
    char text[512];
    va_list args;
    va_start(args, format);
    std::vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fail(Code::bad_file, "%s: its JSON header %s", path_.c_str(), text);
  }

  const std::string& path_;
  int depth_ = 0;  // open objects and arrays
};

// {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, ..., "__metadata__": {"key": "text"}}
class HeaderHandler : public Handler {
 public:
  HeaderHandler(const std::string& path, SafetensorsHeader& out) : Handler(path), out_(out) {}

  bool key(string_t& text) override {
    if (depth_ == 1) {
      notes_ = text == "__metadata__";
      if (notes_ && std::exchange(notes_seen_, true)) bad("has '__metadata__' twice");
      if (!notes_) begin_entry(text);
    } else {
      field_ = std::move(text);
    }
    return true;
  }
  bool string(string_t& text) override {
    if (depth_ == 2 && notes_) {
      if (!out_.notes.emplace(field_, text).second) bad("has '%s' twice in its notes", printable(field_).c_str());
    } else if (depth_ == 2 && field_ == "dtype") {
      if (!entry().dtype.empty()) bad("gives tensor '%s' two dtypes", shown().c_str());
      entry().dtype = text;
    } else {
      return other("a string");
    }
    return true;
  }
  bool number_unsigned(number_unsigned_t value) override {
    if (depth_ != 3 || notes_) return other("a number");
    std::vector<uint64_t>& list = field_ == "shape" ? entry().shape : offsets_;
    if (list.size() >= (field_ == "shape" ? kMaxDims : 2)) bad("has too long a list in tensor '%s'", shown().c_str());
    list.push_back(value);
    return true;
  }

 protected:
  bool other(const char* what) override {
    bad("has %s where it does not belong (key '%s' of '%s')", what, printable(field_).c_str(), shown().c_str());
  }
  bool enter(bool object) override {
    const char* what = object ? "an object" : "an array";
    const bool list = !object && depth_ == 2 && !notes_;
    if (depth_ > 0 && !(object && depth_ == 1) && !list) return other(what);
    if (list && field_ == "shape") {
      if (std::exchange(shape_seen_, true)) bad("gives tensor '%s' two shapes", shown().c_str());
    } else if (list && field_ == "data_offsets") {
      if (std::exchange(offsets_seen_, true)) bad("gives tensor '%s' two places", shown().c_str());
    } else if (list) {
      return other(what);
    }
    return Handler::enter(object);
  }
  bool leave() override {
    if (depth_ == 2 && !notes_) finish_entry();
    return Handler::leave();
  }

 private:
  SafetensorsEntry& entry() { return out_.entries.back(); }
  std::string shown() const { return notes_ || out_.entries.empty() ? "" : printable(out_.entries.back().name); }
  void begin_entry(const std::string& name) {
    out_.entries.emplace_back().name = name;
    offsets_.clear();
    field_.clear();
    shape_seen_ = offsets_seen_ = false;
  }
  void finish_entry() {
    if (entry().dtype.empty() || !shape_seen_ || offsets_.size() != 2)
      bad("lacks dtype, shape or data_offsets [begin, end] of tensor '%s'", shown().c_str());
    entry().begin = offsets_[0];
    entry().end = offsets_[1];
  }

  SafetensorsHeader& out_;
  std::string field_;
  std::vector<uint64_t> offsets_;
  bool notes_ = false, notes_seen_ = false, shape_seen_ = false, offsets_seen_ = false;
};

// {"metadata": {anything}, "weight_map": {"name": "file", ...}}
class IndexHandler : public Handler {
 public:
  IndexHandler(const std::string& path, std::map<std::string, std::string>& out) : Handler(path), out_(out) {}

  bool key(string_t& text) override {
    if (depth_ == 1) in_map_ = text == "weight_map";
    if (depth_ == 2) name_ = std::move(text);
    return true;
  }
  bool string(string_t& text) override {
    if (!in_map_) return true;
    if (depth_ != 2) return other("a string");
    if (!out_.emplace(name_, text).second) bad("lists tensor '%s' twice", printable(name_).c_str());
    return true;
  }

 protected:
  bool other(const char* what) override {
    if (in_map_) bad("has %s in its weight_map, expected file names", what);
    return true;
  }
  bool enter(bool object) override {
    if (in_map_ && (depth_ != 1 || !object)) return other(object ? "an object" : "an array");
    return Handler::enter(object);
  }

 private:
  std::map<std::string, std::string>& out_;
  std::string name_;
  bool in_map_ = false;
};

}  // namespace

SafetensorsHeader parse_safetensors_header(std::string_view text, const std::string& path) {
  SafetensorsHeader header;
  HeaderHandler handler(path, header);
  if (text.empty() || text[0] != '{') fail(Code::bad_file, "%s: its header is not a JSON object", path.c_str());
  json::sax_parse(text, &handler);
  return header;
}

std::map<std::string, std::string> parse_safetensors_index(std::string_view text, const std::string& path) {
  std::map<std::string, std::string> map;
  IndexHandler handler(path, map);
  json::sax_parse(text, &handler);
  if (map.empty()) fail(Code::bad_file, "%s: has no \"weight_map\" of tensor names to files", path.c_str());
  return map;
}

}  // namespace loam
