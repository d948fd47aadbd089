// Makes whole UTF-8 of a stream of bytes that may be cut anywhere; what cannot become UTF-8 turns into U+FFFD.
#pragma once
#include <string>
#include <string_view>

namespace loam {

class Utf8Stream {
 public:
  // Returns what can be shown now; up to three bytes of an unfinished sequence wait for the next call.
  std::string push(std::string_view bytes);
  // The end of the stream: an unfinished sequence becomes U+FFFD.
  std::string finish();

 private:
  std::string waiting_;
};

}  // namespace loam
