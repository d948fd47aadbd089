/* One turn of a chat through the C API: api_example MODEL.loam [QUESTION [SYSTEM_MESSAGE]] */
#include "core/loam.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check(loam_status status) {
  const char* text = "";
  if (status == LOAM_OK) return;
  loam_last_error(&text, NULL);
  fprintf(stderr, "error: %s\n", text);
  exit(1);
}

/* The tokens of the question as the model wants to be asked; a model without chat template continues it. */
static int32_t* prompt_tokens(const loam_model* model, const char* system, const char* question, size_t* count) {
  loam_chat_message messages[2] = {{"system", 6, NULL, 0}, {"user", 4, NULL, 0}};
  const size_t first = system ? 0 : 1; /* message */
  loam_model_info info = LOAM_MODEL_INFO_INIT;
  char* text;
  size_t size = strlen(question);
  int32_t* tokens;
  uint32_t flags = LOAM_PARSE_SPECIAL;

  check(loam_model_get_info(model, &info));
  messages[0].content = system;
  messages[0].content_size = system ? strlen(system) : 0;
  messages[1].content = question;
  messages[1].content_size = size;
  if (info.has_chat_template) {
    check(loam_chat_format(model, messages + first, 2 - first, 1, NULL, 0, &size));
    text = malloc(size + 1);
    check(loam_chat_format(model, messages + first, 2 - first, 1, text, size, &size));
  } else {
    text = malloc(size + 1);
    memcpy(text, question, size);
    flags |= LOAM_ADD_SPECIAL;
  }
  check(loam_tokenize(model, text, size, flags, NULL, 0, count));
  tokens = malloc((*count + 1) * sizeof *tokens);
  check(loam_tokenize(model, text, size, flags, tokens, *count, count));
  free(text);
  return tokens;
}

int main(int argc, char** argv) {
  const char* question = argc > 2 ? argv[2] : "What is the capital of France?";
  loam_session_options options = LOAM_SESSION_OPTIONS_INIT;
  loam_model* model;
  loam_session* session;
  loam_sampler* sampler;
  loam_row* rows;
  int32_t *tokens, sequence, token, end;
  size_t count, i, vocab;
  const float* logits;
  int limit;

  if (argc < 2) {
    fprintf(stderr, "usage: api_example MODEL.loam [QUESTION [SYSTEM_MESSAGE]]\n");
    return 2;
  }
  check(loam_model_load(argv[1], NULL, &model));
  options.context = 1024;
  check(loam_session_create(model, &options, &session));
  check(loam_sequence_create(session, &sequence));
  check(loam_sampler_create(NULL, &sampler)); /* greedy */

  tokens = prompt_tokens(model, argc > 3 ? argv[3] : NULL, question, &count);
  rows = calloc(count + 1, sizeof *rows);
  for (i = 0; i < count; ++i) {
    rows[i].token = tokens[i];
    rows[i].sequence = sequence;
    rows[i].output = i + 1 == count;
  }
  for (limit = 0; limit < 100; ++limit) {
    char piece[256];
    size_t size;
    check(loam_session_decode(session, rows, count));
    check(loam_session_logits(session, 0, &logits, &vocab));
    check(loam_sampler_sample(sampler, logits, vocab, &token));
    check(loam_token_is_end(model, token, &end));
    if (end) break;
    check(loam_token_piece(model, token, piece, sizeof piece, &size));
    fwrite(piece, 1, size, stdout);
    fflush(stdout);
    rows[0].token = token;
    rows[0].output = 1;
    count = 1;
  }
  printf("\n");
  free(rows);
  free(tokens);
  check(loam_sampler_free(sampler));
  check(loam_session_free(session));
  check(loam_model_free(model));
  return 0;
}
