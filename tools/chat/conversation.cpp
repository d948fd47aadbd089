#include "tools/chat/conversation.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "core/text/json.h"
#include "tools/cli/files.h"

namespace loam {
namespace {

Json to_json(const std::vector<Message>& messages) {
  Json all = Json::array();
  for (const Message& m : messages) {
    all.push_back({{"role", m.role}, {"content", m.content}});
    if (!m.thinking.empty()) all.back()["reasoning_content"] = m.thinking;
  }
  return all;
}

bool is_question(const Message& m) { return m.role == "user"; }

}  // namespace

Conversation::Conversation(Session& session, const Tokenizer& tokenizer, Sampler& sampler, ConversationOptions options)
    : tokenizer_(tokenizer), sampler_(sampler), options_(std::move(options)), stream_(session, tokenizer) {
  clear();
}

void Conversation::clear() {
  messages_.clear();
  const bool raw = options_.chat_template.empty();  // a base model knows no roles
  if (!options_.system.empty() && !raw) messages_.push_back({"system", options_.system, ""});
}

// The text that the model reads before it continues with the rest of the answer.
std::string Conversation::render(const std::string& partial_answer) const {
  if (options_.chat_template.empty()) {
    std::string text;
    for (const Message& m : messages_) text += m.content;
    return text + partial_answer;
  }
  const auto token = [&](int32_t id) { return id < 0 ? std::string() : std::string(tokenizer_.token(id)); };
  ChatTemplateInput input;
  const bool thought =
      std::any_of(messages_.begin(), messages_.end(), [](const Message& m) { return !m.thinking.empty(); });
  if (thought)
    input.messages_json = to_json(messages_).dump_any();
  else
    for (const Message& m : messages_) input.messages.push_back({m.role, m.content});
  input.bos_token = token(tokenizer_.spec().bos);
  input.eos_token = token(tokenizer_.spec().eos);
  return render_chat(options_.chat_template, input) + partial_answer;
}

// Text that only grew is tokenized from where it grew, so that an answer keeps the tokens that were drawn; not where
// the vocabulary would put a space there, as it does before every text.
std::vector<int32_t> Conversation::tokens_for(const std::string& text) const {
  const bool raw = options_.chat_template.empty();
  if (!held_text_.empty() && text.size() > held_text_.size() && text.compare(0, held_text_.size(), held_text_) == 0) {
    std::vector<int32_t> tokens = stream_.tokens();
    const std::vector<int32_t> more =
        tokenizer_.encode(std::string_view(text).substr(held_text_.size()), {false, !raw});
    if (!tokenizer_.spec().add_space_prefix || (!more.empty() && tokenizer_.is_special(more[0]))) {
      tokens.insert(tokens.end(), more.begin(), more.end());
      return tokens;
    }
  }
  return tokenizer_.encode(text, {raw, !raw});
}

bool Conversation::drop_oldest_turn() {
  const auto first =
      std::find_if(messages_.begin(), messages_.end(), [](const Message& m) { return m.role != "system"; });
  if (first == messages_.end()) return false;
  const auto next = std::find_if(first + 1, messages_.end(), is_question);
  if (next == messages_.end()) return false;  // the last question stays
  messages_.erase(first, next);
  return true;
}

// Makes the model hold everything up to here; drops the oldest turns where it does not fit and that is allowed.
bool Conversation::feed(const std::string& partial, AnswerStats& stats, const Stream::Cancelled& cancelled,
                        const Stream::OnProgress& progress) {
  while (true) {
    const std::string text = render(partial);
    const std::vector<int32_t> tokens = tokens_for(text);
    if (tokens.empty()) fail(Code::bad_argument, "the message is empty");
    const int64_t reserve = stats.dropped_turns ? std::min<int64_t>(256, (stream_.room() + held_tokens()) / 8) : 1;
    if (int64_t(tokens.size()) + reserve > stream_.room() + held_tokens() && options_.context_shift &&
        drop_oldest_turn()) {
      ++stats.dropped_turns;
      continue;
    }
    held_text_.clear();
    if (!stream_.feed(tokens, cancelled, progress)) return false;
    held_text_ = text;
    return true;
  }
}

AnswerStats Conversation::ask(const std::string& text, const Stream::Cancelled& cancelled,
                              const AnswerParts::OnPart& on_part, const Stream::OnProgress& progress) {
  AnswerStats stats;
  const std::vector<Message> before = messages_;
  messages_.push_back({"user", text, ""});
  try {
    if (!feed("", stats, cancelled, progress)) {
      messages_ = before;
      stats.reason = StopReason::interrupted;
      return stats;
    }
    stats.prefill = stream_.prefill();
    answer(stats, cancelled, on_part, progress);
  } catch (const Error&) {
    messages_ = before;
    held_text_.clear();  // tokens of half an answer may be held
    throw;
  }
  return stats;
}

void Conversation::answer(AnswerStats& stats, const Stream::Cancelled& cancelled, const AnswerParts::OnPart& on_part,
                          const Stream::OnProgress& progress) {
  std::string written;  // as the model wrote it
  Message message{"assistant", "", ""};
  AnswerParts parts(options_.answer.constraint ? "" : held_text_);  // what is constrained from its start is the answer
  const AnswerParts::OnPart collect = [&](PartKind kind, std::string_view piece) {
    (kind == PartKind::thinking ? message.thinking : message.content) += piece;
    on_part(kind, piece);
  };
  const auto on_text = [&](std::string_view piece) {
    written += piece;
    if (options_.chat_template.empty())
      collect(PartKind::answer, piece);
    else
      parts.push(piece, collect);
  };
  while (true) {
    GenerateOptions generate = options_.answer;
    if (generate.limit >= 0) generate.limit -= int64_t(stats.decode.tokens);
    if (generate.seconds > 0) generate.seconds = std::max(1e-9, generate.seconds - stats.decode.seconds);
    stats.reason = stream_.generate(sampler_, generate, cancelled, on_text);
    stats.decode.tokens += stream_.decode().tokens;
    stats.decode.seconds += stream_.decode().seconds;
    // The tokens of a stop text are held in part, or not; then the next turn finds out what is.
    held_text_ = stats.reason == StopReason::stop_text ? "" : render(written);
    if (stats.reason != StopReason::context_full || !options_.context_shift || !drop_oldest_turn()) break;
    ++stats.dropped_turns;
    held_text_.clear();
    if (!feed(written, stats, cancelled, progress)) {
      stats.reason = StopReason::interrupted;
      break;
    }
  }
  parts.finish(collect);
  messages_.push_back(std::move(message));
}

bool Conversation::undo() {
  const auto last = std::find_if(messages_.rbegin(), messages_.rend(), is_question);
  if (last == messages_.rend()) return false;
  messages_.erase(last.base() - 1, messages_.end());
  return true;
}

void Conversation::save(const std::string& path) const {
  const std::string part = path + ".part";
  std::ofstream out(part, std::ios::binary);
  out << to_json(messages_).dump_any(2) << "\n";
  out.close();
  std::error_code error;
  if (out) std::filesystem::rename(part, path, error);
  if (!out || error) {
    std::filesystem::remove(part, error);
    fail(Code::io, "cannot write %s", path.c_str());
  }
}

void Conversation::load(const std::string& path) {
  const Json all = parse_json(read_text_file(path), path.c_str());
  if (!all.is_array())
    fail(Code::bad_file, "%s is not a saved conversation: expected a JSON list of messages", path.c_str());
  std::vector<Message> messages;
  for (const Json& m : all) {
    if (!m.is_object() || !m.contains("role") || !m["role"].is_string() || !m.contains("content") ||
        !m["content"].is_string())
      fail(Code::bad_file, "%s: message %zu has no text 'role' and 'content'", path.c_str(), messages.size() + 1);
    messages.push_back({m["role"].text(), m["content"].text(), ""});
    if (const Json* thinking = m.find("reasoning_content"); thinking && thinking->is_string())
      messages.back().thinking = thinking->text();
  }
  messages_ = std::move(messages);
}

}  // namespace loam
