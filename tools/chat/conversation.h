// A conversation: messages, and the tokens that the model already holds of them.
#pragma once
#include <string>
#include <vector>

#include "core/text/answer_parts.h"
#include "core/text/chat_template.h"
#include "tools/run/generate.h"

namespace loam {

struct Message {
  std::string role, content;
  std::string thinking;  // of an answer; templates decide whether the model sees it again
};

struct ConversationOptions {
  std::string chat_template;   // empty: no template, raw text is continued
  std::string system;          // empty: none
  bool context_shift = false;  // drop the oldest turns when the context is full
  GenerateOptions answer;      // limits of one answer
};

struct AnswerStats {
  StopReason reason = StopReason::end;
  Timing prefill, decode;
  int dropped_turns = 0;
};

class Conversation {
 public:
  Conversation(Session& session, const Tokenizer& tokenizer, Sampler& sampler, ConversationOptions options);

  // Adds the user's message and the answer; gives the answer's parts as they come (of a base model, all is answer).
  // When the context is full and nothing may be dropped, the answer ends with StopReason::context_full; a message that
  // does not fit at all is an Error{context_full}. Any Error leaves the conversation as it was.
  AnswerStats ask(const std::string& text, const Stream::Cancelled& cancelled, const AnswerParts::OnPart& on_part,
                  const Stream::OnProgress& progress = {});
  void clear();
  bool undo();  // forgets the last question and answer; false: there is none
  void save(const std::string& path) const;
  void load(const std::string& path);

  const std::vector<Message>& messages() const { return messages_; }
  const std::vector<int32_t>& tokens() const { return stream_.tokens(); }  // that the model holds
  int64_t held_tokens() const { return int64_t(tokens().size()); }
  int64_t room() const { return stream_.room(); }

 private:
  std::string render(const std::string& partial_answer) const;
  std::vector<int32_t> tokens_for(const std::string& text) const;
  bool drop_oldest_turn();
  void answer(AnswerStats& stats, const Stream::Cancelled& cancelled, const AnswerParts::OnPart& on_part,
              const Stream::OnProgress& progress);
  bool feed(const std::string& partial, AnswerStats& stats, const Stream::Cancelled& cancelled,
            const Stream::OnProgress& progress);

  const Tokenizer& tokenizer_;
  Sampler& sampler_;
  ConversationOptions options_;
  Stream stream_;
  std::vector<Message> messages_;
  std::string held_text_;  // whose tokens stream_ holds, as drawn
};

}  // namespace loam
