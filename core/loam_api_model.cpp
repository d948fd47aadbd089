// The C API: what a model says of itself, text and tokens, chat templates.

#include "core/loam_api_internal.h"
#include "core/text/chat_template.h"
#include "core/text/json.h"

using namespace loam;
using namespace loam::api;

namespace {

const ModelState& state_of(const loam_model* model) { return *required(model, "model").state; }

const Tokenizer& tokenizer_of(const loam_model* model) {
  const ModelState& state = state_of(model);
  if (!state.tokenizer) fail(Code::unsupported, "the model has no tokenizer");
  return *state.tokenizer;
}

void check_token(const Tokenizer& tokenizer, int32_t token) {
  if (token < 0 || size_t(token) >= tokenizer.size())
    fail(Code::bad_argument, "token %d is not in the vocabulary of %zu", token, tokenizer.size());
}

void check_flags(uint32_t flags, uint32_t known) {
  if (flags & ~known) fail(Code::bad_argument, "unknown bits in flags: 0x%x", flags & ~known);
}

std::string text_of(const MetaValue& value) {
  if (const std::string* text = std::get_if<std::string>(&value)) return *text;
  return std::visit([](const auto& v) { return Json(v).dump_any(); }, value);
}

loam_model_info info_of(const ModelState& state) {
  const ModelConfig& c = state.model->config();
  loam_model_info info = LOAM_MODEL_INFO_INIT;
  info.name = c.name.c_str();
  info.architecture = c.architecture.c_str();
  info.file_bytes = state.file_bytes;
  info.weight_bytes = state.model->weight_bytes();
  info.parameters = state.parameters;
  info.vocab = c.vocab;
  info.context = c.context;
  info.dim = c.dim;
  info.layers = c.layers;
  info.heads = c.heads;
  info.kv_heads = c.kv_heads;
  info.head_dim = c.head_dim;
  info.ffn_dim = c.ffn_dim;
  info.has_chat_template = !state.source->chat_template().empty();
  if (!state.tokenizer) return info;
  const TokenizerSpec& spec = state.tokenizer->spec();
  info.has_tokenizer = 1;
  info.bos_token = spec.bos;
  info.eos_token = spec.eos;
  info.unk_token = spec.unk;
  info.pad_token = spec.pad;
  return info;
}

std::string formatted(const ModelState& state, ChatTemplateInput input) {
  const std::string_view chat_template = state.source->chat_template();
  if (chat_template.empty()) fail(Code::unsupported, "the model has no chat template: it continues plain text");
  if (state.tokenizer) {
    const TokenizerSpec& spec = state.tokenizer->spec();
    if (spec.bos >= 0) input.bos_token = state.tokenizer->token(spec.bos);
    if (spec.eos >= 0) input.eos_token = state.tokenizer->token(spec.eos);
  }
  return render_chat(chat_template, input);
}

}  // namespace

extern "C" {

loam_status loam_model_get_info(const loam_model* model, loam_model_info* info) {
  return guarded([&] {
    const size_t size = required(info, "info").size;
    if (size < sizeof(loam_model_info) || size > (size_t(1) << 16))
      fail(Code::bad_argument, "loam_model_info.size is %zu, expected %zu: use LOAM_MODEL_INFO_INIT", size,
           sizeof(loam_model_info));
    const loam_model_info own = info_of(state_of(model));
    std::memset(static_cast<void*>(info), 0, size);
    std::memcpy(static_cast<void*>(info), &own, sizeof own);
    info->size = size;
  });
}

loam_status loam_model_metadata_key(const loam_model* model, size_t index, const char** key, size_t* count) {
  return guarded([&] {
    const auto& values = state_of(model).source->metadata().values();
    if (count) *count = values.size();
    if (!key) return;
    *key = nullptr;
    if (index >= values.size())
      fail(Code::bad_argument, "metadata key %zu of %zu does not exist", index, values.size());
    *key = std::next(values.begin(), std::ptrdiff_t(index))->first.c_str();
  });
}

loam_status loam_model_metadata(const loam_model* model, const char* key, char* buffer, size_t capacity, size_t* size) {
  return guarded([&] {
    const MetaValue* value = state_of(model).source->metadata().find(&required(key, "key"));
    if (!value) fail(Code::bad_argument, "the model has no metadata key '%s'", key);
    copy_out(text_of(*value), buffer, capacity, size);
  });
}

loam_status loam_tokenize(const loam_model* model, const char* text, size_t text_size, uint32_t flags, int32_t* tokens,
                          size_t capacity, size_t* count) {
  return guarded([&] {
    const Tokenizer& tokenizer = tokenizer_of(model);
    check_flags(flags, LOAM_ADD_SPECIAL | LOAM_PARSE_SPECIAL);
    const EncodeOptions options{(flags & LOAM_ADD_SPECIAL) != 0, (flags & LOAM_PARSE_SPECIAL) != 0};
    const std::vector<int32_t> ids = tokenizer.encode(text_argument(text, text_size, "text"), options);
    copy_out(std::span<const int32_t>(ids), tokens, capacity, count, "count");
  });
}

loam_status loam_detokenize(const loam_model* model, const int32_t* tokens, size_t count, uint32_t flags, char* buffer,
                            size_t capacity, size_t* size) {
  return guarded([&] {
    const Tokenizer& tokenizer = tokenizer_of(model);
    check_flags(flags, LOAM_SKIP_SPECIAL);
    const std::span<const int32_t> ids = array_argument(tokens, count, "tokens");
    for (const int32_t id : ids) check_token(tokenizer, id);
    copy_out(tokenizer.decode(ids, (flags & LOAM_SKIP_SPECIAL) != 0), buffer, capacity, size);
  });
}

loam_status loam_token_piece(const loam_model* model, int32_t token, char* buffer, size_t capacity, size_t* size) {
  return guarded([&] {
    const Tokenizer& tokenizer = tokenizer_of(model);
    check_token(tokenizer, token);
    copy_out(tokenizer.piece(token), buffer, capacity, size);
  });
}

loam_status loam_token_find(const loam_model* model, const char* text, size_t text_size, int32_t* token) {
  return guarded([&] {
    required(token, "token") = -1;
    *token = tokenizer_of(model).find(text_argument(text, text_size, "text"));
  });
}

loam_status loam_token_is_end(const loam_model* model, int32_t token, int32_t* is) {
  return guarded([&] {
    const Tokenizer& tokenizer = tokenizer_of(model);
    check_token(tokenizer, token);
    required(is, "is") = tokenizer.is_end(token);
  });
}

loam_status loam_token_is_special(const loam_model* model, int32_t token, int32_t* is) {
  return guarded([&] {
    const Tokenizer& tokenizer = tokenizer_of(model);
    check_token(tokenizer, token);
    required(is, "is") = tokenizer.is_special(token);
  });
}

loam_status loam_chat_format(const loam_model* model, const loam_chat_message* messages, size_t count,
                             int32_t add_prompt, char* buffer, size_t capacity, size_t* size) {
  return guarded([&] {
    ChatTemplateInput input;
    input.add_generation_prompt = add_prompt != 0;
    for (const loam_chat_message& m : array_argument(messages, count, "messages")) {
      input.messages.push_back({std::string(text_argument(m.role, m.role_size, "role")),
                                std::string(text_argument(m.content, m.content_size, "content"))});
    }
    copy_out(formatted(state_of(model), std::move(input)), buffer, capacity, size);
  });
}

loam_status loam_chat_format_json(const loam_model* model, const char* request, size_t request_size, char* buffer,
                                  size_t capacity, size_t* size) {
  return guarded([&] {
    ChatTemplateInput input = read_chat_input(text_argument(request, request_size, "request"));
    copy_out(formatted(state_of(model), std::move(input)), buffer, capacity, size);
  });
}

}  // extern "C"
