// Texts that end an answer, found in a stream of bytes that may be cut anywhere: across tokens and inside characters.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace loam {

// Time is linear in the bytes, however many texts there are (Aho and Corasick 1975). The first place where any of the
// texts is complete counts; of several that end there, the longest.
class StopMatcher {
 public:
  StopMatcher() = default;  // without texts: everything passes
  // Error{bad_argument} where a text is empty, or all together have more than 1 MiB.
  explicit StopMatcher(std::span<const std::string> texts);

  // Returns what can be shown now; what may still become a stop text is held back. Nothing passes once stopped(). `used`:
  // how many of the bytes were read, all of them unless a stop text ended before.
  std::string push(std::string_view bytes, size_t* used = nullptr);
  // The end of the stream: what was held back.
  std::string finish();
  bool stopped() const { return stopped_; }
  const std::string& found() const { return found_; }  // the text that stopped it
  void reset();                                        // for another stream

 private:
  struct Node {
    std::vector<std::pair<uint8_t, uint32_t>> next;  // sorted by byte
    uint32_t fallback = 0;                           // the longest proper end of this node's text that is a node
    uint32_t depth = 0;
    uint32_t match = 0;  // length of the longest stop text that ends here; 0: none
  };
  static constexpr uint32_t kNone = ~0u;
  uint32_t child(uint32_t node, uint8_t byte) const;
  void insert(std::string_view text);
  void link();

  std::vector<Node> nodes_;
  uint32_t at_ = 0;
  std::string held_;  // from first_ on: what was not given out
  size_t first_ = 0;
  bool stopped_ = false;
  std::string found_;
};

}  // namespace loam
