/* Loam: the C API. C99 and C++.
 *
 * - Every function returns a status; on failure loam_last_error has one line for people, per thread. No function
 *   throws, prints, aborts or exits, and nothing is global but that message.
 * - Text is UTF-8 with a length in bytes and need not end in NUL. Names (paths, keys, backends) are NUL-terminated.
 * - Functions that fill a caller's buffer take its capacity and always say in *size (or *count) how much there is.
 *   Where it does not fit they write nothing and return LOAM_TOO_SMALL; with capacity 0 they return LOAM_OK, so that
 *   a first call can ask for the size. No NUL is appended.
 * - Borrowed results stay valid until the call that the function's comment names.
 * - Option structs start with their own size: initialize them with their _INIT macro, then change fields. NULL stands
 *   for the defaults. Structs only grow at the end; a zero in a later field is its default.
 * - A model is immutable and may be used by any number of threads. A session or a sampler belongs to one thread at a
 *   time. Handles may be freed in any order: a session keeps what it needs of its model.
 * - An output handle is NULL after a failure; freeing NULL is allowed.
 */
#ifndef LOAM_H
#define LOAM_H

#include <stddef.h>
#include <stdint.h>

#define LOAM_VERSION_MAJOR 0 /* semantic: while it is 0, a new minor version may break the interface */
#define LOAM_VERSION_MINOR 1
#define LOAM_VERSION_PATCH 0

#if defined(__GNUC__)
#define LOAM_API __attribute__((visibility("default")))
#else
#define LOAM_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef enum loam_status {
  LOAM_OK = 0,
  LOAM_BAD_ARGUMENT = 1, /* NULL, a wrong size, an index or token out of range, a name that nothing has */
  LOAM_BAD_FILE = 2,     /* not a .loam file, damaged, incomplete, or with contents that make no sense */
  LOAM_UNSUPPORTED = 3,  /* a newer format, or a feature that this version lacks */
  LOAM_OUT_OF_MEMORY = 4,
  LOAM_IO = 5,           /* the operating system said no: missing file, no permission, ... */
  LOAM_CANCELLED = 6,    /* a progress callback asked for it */
  LOAM_CONTEXT_FULL = 7, /* the positions of the session are used up */
  LOAM_DEVICE = 8,       /* a backend's device or driver failed */
  LOAM_INTERNAL = 9,     /* a defect of the library */
  LOAM_TOO_SMALL = 10    /* the caller's buffer; the needed size is in *size or *count */
} loam_status;

typedef struct loam_model loam_model;
typedef struct loam_session loam_session;
typedef struct loam_sampler loam_sampler;
typedef struct loam_stop loam_stop;

/* Called now and then during long calls, from the calling thread. Units are the call's own; total is above 0. Return 0
 * to go on; anything else cancels the call, which then returns LOAM_CANCELLED. Must not throw. */
typedef int (*loam_progress)(void* user, uint64_t done, uint64_t total);

typedef enum loam_log_level { LOAM_LOG_INFO = 0, LOAM_LOG_WARNING = 1 } loam_log_level;

/* One line without a line end, borrowed for the time of the call. Called by the thread that makes the call which has
 * something to say. Must not throw. */
typedef void (*loam_log)(void* user, loam_log_level level, const char* text, size_t text_size);

/* ---- the library ---- */

/* "MAJOR.MINOR.PATCH"; borrowed for ever. */
LOAM_API loam_status loam_version(const char** text);

/* Why the last call of this thread that failed did so; "" where none has. NUL-terminated; text_size may be NULL.
 * Borrowed until the thread's next call that fails. */
LOAM_API loam_status loam_last_error(const char** text, size_t* text_size);

/* Name of a status, for example "bad argument"; borrowed for ever. LOAM_BAD_ARGUMENT where there is no such status. */
LOAM_API loam_status loam_status_name(loam_status status, const char** text);

/* Name of a backend by index, the default first, the reference backend last; borrowed for ever. LOAM_BAD_ARGUMENT where
 * index is not below *count. Either of name and count may be NULL. */
LOAM_API loam_status loam_backend_name(size_t index, const char** name, size_t* count);

/* ---- models ---- */

typedef struct loam_load_options {
  size_t size;
  int32_t skip_verify;    /* 1: do not compare the data with its checksums */
  loam_progress progress; /* bytes checked; not called with skip_verify */
  void* progress_user;
  loam_log log; /* of the model and its sessions; must outlive them */
  void* log_user;
} loam_load_options;
#define LOAM_LOAD_OPTIONS_INIT \
  { sizeof(loam_load_options), 0, NULL, NULL, NULL, NULL }

/* Maps a .loam file; its pages are shared with other processes. The file must not change while the model lives.
 * LOAM_IO, LOAM_BAD_FILE, LOAM_UNSUPPORTED, LOAM_CANCELLED. */
LOAM_API loam_status loam_model_load(const char* path, const loam_load_options* options, loam_model** model);
LOAM_API loam_status loam_model_free(loam_model* model);

typedef struct loam_model_info {
  size_t size;              /* set by the caller: sizeof(loam_model_info) */
  const char* name;         /* for people, may be ""; NUL-terminated, borrowed until loam_model_free */
  const char* architecture; /* of the source, "llama" or the like; borrowed until loam_model_free */
  uint64_t file_bytes;
  uint64_t weight_bytes;
  uint64_t parameters; /* values in all tensors */
  int64_t vocab;       /* tokens, and logits per row */
  int64_t context;     /* positions that the model was trained for */
  int64_t dim;         /* values of an embedding */
  int64_t layers;
  int64_t heads;
  int64_t kv_heads;
  int64_t head_dim;
  int64_t ffn_dim;
  int32_t has_tokenizer;     /* 0 or 1 */
  int32_t has_chat_template; /* 0 or 1 */
  int32_t bos_token;         /* -1 where the model has none, as the following three */
  int32_t eos_token;
  int32_t unk_token;
  int32_t pad_token;
} loam_model_info;
#define LOAM_MODEL_INFO_INIT \
  { sizeof(loam_model_info), NULL, NULL, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -1, -1, -1, -1 }

LOAM_API loam_status loam_model_get_info(const loam_model* model, loam_model_info* info);

/* Key of a metadata entry by index; *count becomes the number of entries. Either of key and count may be NULL. The key
 * is borrowed until loam_model_free. LOAM_BAD_ARGUMENT where key is asked for and index is not below the count. */
LOAM_API loam_status loam_model_metadata_key(const loam_model* model, size_t index, const char** key, size_t* count);

/* A metadata value as text: strings as they are, numbers in decimal, true and false, lists as JSON. LOAM_BAD_ARGUMENT
 * where there is no such key. */
LOAM_API loam_status loam_model_metadata(const loam_model* model, const char* key, char* buffer, size_t capacity,
                                         size_t* size);

/* ---- text and tokens; LOAM_UNSUPPORTED where the model has no tokenizer ---- */

/* Bits of flags. */
enum {
  LOAM_ADD_SPECIAL = 1,   /* tokenize: add what the model wants around a text, such as the begin token */
  LOAM_PARSE_SPECIAL = 2, /* tokenize: special tokens written in the text become their ids */
  LOAM_SKIP_SPECIAL = 1   /* detokenize: leave special tokens out */
};

LOAM_API loam_status loam_tokenize(const loam_model* model, const char* text, size_t text_size, uint32_t flags,
                                   int32_t* tokens, size_t capacity, size_t* count);

/* The text that tokens stand for; its ends may be in the middle of a UTF-8 sequence where tokens are. */
LOAM_API loam_status loam_detokenize(const loam_model* model, const int32_t* tokens, size_t count, uint32_t flags,
                                     char* buffer, size_t capacity, size_t* size);

/* The bytes that one token appends to a text; not always whole UTF-8 sequences. */
LOAM_API loam_status loam_token_piece(const loam_model* model, int32_t token, char* buffer, size_t capacity,
                                      size_t* size);

/* The id of a token by its text in the vocabulary; -1: there is none. */
LOAM_API loam_status loam_token_find(const loam_model* model, const char* text, size_t text_size, int32_t* token);

/* *is becomes 1 where the token ends an answer (there may be several besides eos), else 0. */
LOAM_API loam_status loam_token_is_end(const loam_model* model, int32_t token, int32_t* is);
/* *is becomes 1 for tokens that control the model and stand for no text, else 0. */
LOAM_API loam_status loam_token_is_special(const loam_model* model, int32_t token, int32_t* is);

typedef struct loam_chat_message {
  const char* role; /* "system", "user", "assistant" */
  size_t role_size;
  const char* content;
  size_t content_size;
} loam_chat_message;

/* The conversation as the model was trained to read it, to be tokenized with LOAM_PARSE_SPECIAL alone (the template
 * writes the begin token itself). add_prompt 1: followed by the start of the assistant's answer. LOAM_UNSUPPORTED where
 * the model has no chat template or it uses what this version lacks; LOAM_BAD_ARGUMENT where the template itself
 * refuses the messages. */
LOAM_API loam_status loam_chat_format(const loam_model* model, const loam_chat_message* messages, size_t count,
                                      int32_t add_prompt, char* buffer, size_t capacity, size_t* size);
/* The same for all that templates know. request: a JSON list of messages (with tool_calls, reasoning_content, content
 * of several parts ...), or an object with messages and, where wanted, tools, documents, add_generation_prompt (true
 * where absent) and further variables of the template, e.g. {"messages": [...], "enable_thinking": false}.
 * LOAM_BAD_ARGUMENT also where the request is no such JSON. */
LOAM_API loam_status loam_chat_format_json(const loam_model* model, const char* request, size_t request_size,
                                           char* buffer, size_t capacity, size_t* size);

/* ---- sessions ---- */

typedef enum loam_kv_type { LOAM_KV_F16 = 0, LOAM_KV_F32 = 1, LOAM_KV_Q8 = 2 } loam_kv_type;
typedef enum loam_activations { LOAM_ACTIVATIONS_INT8 = 0, LOAM_ACTIVATIONS_F32 = 1 } loam_activations;

typedef struct loam_session_options {
  size_t size;
  int64_t context;        /* positions of all sequences together, rounded up to pages of 64; 0: the model's own,
                             or what fits into memory */
  int32_t threads;        /* 0: as many as this process may use */
  int32_t kv_type;        /* loam_kv_type: how keys and values are kept */
  int32_t activations;    /* loam_activations: how the inputs of matrices are rounded */
  const char* backend;    /* names separated by commas, best first; NULL: "cpu" */
  loam_progress progress; /* rows done of a batch, between parts of at most 128 rows */
  void* progress_user;
} loam_session_options;
#define LOAM_SESSION_OPTIONS_INIT \
  { sizeof(loam_session_options), 0, 0, 0, 0, NULL, NULL, NULL }

/* Memory for the whole context must be free here, and is taken as it is used. LOAM_OUT_OF_MEMORY, LOAM_BAD_ARGUMENT. */
LOAM_API loam_status loam_session_create(const loam_model* model, const loam_session_options* options,
                                         loam_session** session);
LOAM_API loam_status loam_session_free(loam_session* session);

/* A new, empty sequence. Ids of removed sequences are used again. */
LOAM_API loam_status loam_sequence_create(loam_session* session, int32_t* sequence);
/* A new sequence that shares the first `length` positions of another; memory is copied only where they part. */
LOAM_API loam_status loam_sequence_fork(loam_session* session, int32_t from, int64_t length, int32_t* sequence);
/* Forgets the positions from `length` on; at most the present length. */
LOAM_API loam_status loam_sequence_truncate(loam_session* session, int32_t sequence, int64_t length);
LOAM_API loam_status loam_sequence_remove(loam_session* session, int32_t sequence);
LOAM_API loam_status loam_sequence_length(const loam_session* session, int32_t sequence, int64_t* length);
/* Positions in pages that no sequence holds yet; besides, each sequence may fill its own last page. */
LOAM_API loam_status loam_session_free_positions(const loam_session* session, int64_t* positions);

/* One row of a batch: what comes next in a sequence. */
typedef struct loam_row {
  int32_t token; /* -1: embedding is given instead */
  int32_t sequence;
  int32_t output;         /* 1: logits of this row are wanted */
  int32_t reserved;       /* 0 */
  const float* embedding; /* dim values in place of the token's, or NULL; read during the call */
} loam_row;

/* Appends rows to their sequences, those of one sequence in the given order, and computes them. Any mix of sequences,
 * of prompts and single tokens; results do not depend on the mix. Where it fails (LOAM_CONTEXT_FULL, LOAM_CANCELLED,
 * LOAM_BAD_ARGUMENT, ...) all sequences keep their length and content. count may be 0. */
LOAM_API loam_status loam_session_decode(loam_session* session, const loam_row* rows, size_t count);

/* Logits of the index-th row of the last batch that had `output` set: *count = vocab values, borrowed until the
 * session's next loam_session_decode or loam_session_free. count may be NULL. */
LOAM_API loam_status loam_session_logits(const loam_session* session, size_t index, const float** logits,
                                         size_t* count);

/* ---- choosing tokens ---- */

typedef struct loam_logit_bias {
  int32_t token;
  float bias; /* is added to the logit; -inf: never */
} loam_logit_bias;

typedef struct loam_sampler_options {
  size_t size;
  float temperature;    /* 0: always the likeliest token */
  int32_t top_k;        /* among the k likeliest only; 0: all */
  float top_p;          /* among the likeliest that together reach this probability; 1: all */
  float min_p;          /* among those with at least this share of the likeliest one's probability; 0: all */
  float repeat_penalty; /* divides positive and multiplies negative logits of recent tokens; 1: off */
  int32_t repeat_last;  /* how many tokens are recent */
  uint64_t seed;        /* the same seed, logits and options give the same tokens on every machine */
  /* From here on 0 is the default: off, unless a comment says otherwise. */
  float dynatemp_range;    /* the temperature moves by so much with the entropy */
  float dynatemp_exponent; /* 0: 1 */
  float typical_p;         /* among those of average surprise that together reach this probability */
  float top_n_sigma;       /* among logits within so many standard deviations of the largest */
  float xtc_probability;   /* how often all likely tokens but the least likely of them are dropped */
  float xtc_threshold;     /* what is likely; 0: 0.1 */
  float frequency_penalty; /* taken off once for each time that a token is recent */
  float presence_penalty;  /* taken off recent tokens */
  float dry_multiplier;    /* multiplier * base^(n - allowed length) is taken off what goes on with n repeated tokens */
  float dry_base;          /* 0: 1.75 */
  int32_t dry_allowed_length; /* 0: 2 */
  int32_t dry_last;           /* how many tokens DRY looks at; 0: 64 */
  int32_t mirostat;           /* 1 or 2: Mirostat in place of all filters */
  float mirostat_tau;         /* target surprise in bits; 0: 5 */
  float mirostat_eta;         /* learning rate; 0: 0.1 */
  float adaptive_target;      /* of adaptive_p, where `samplers` names it: the probability to keep to */
  float adaptive_decay;       /* 0: 0.9 */
  uint32_t logit_bias_count;
  const struct loam_logit_bias* logit_bias; /* read during the call, as the following ones */
  const char* samplers; /* order; NULL: "penalties;dry;top_n_sigma;top_k;typ_p;top_p;min_p;xtc;temperature" */
  const char* const* dry_breakers; /* texts that no repetition reaches across; NULL: newline, colon, quote and star */
  size_t dry_breaker_count;
  const loam_model* dry_model; /* whose tokens the texts become; NULL: no breakers */
} loam_sampler_options;
#define LOAM_SAMPLER_OPTIONS_INIT                                                                                      \
  {                                                                                                                    \
    sizeof(loam_sampler_options), 0.0f, 40, 0.95f, 0.05f, 1.0f, 64, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, \
        0, 0, NULL, NULL, NULL, 0, NULL                                                                                \
  }

LOAM_API loam_status loam_sampler_create(const loam_sampler_options* options, loam_sampler** sampler);
LOAM_API loam_status loam_sampler_free(loam_sampler* sampler);
/* Chooses a token by `count` logits. Does not remember it: see loam_sampler_accept. */
LOAM_API loam_status loam_sampler_sample(loam_sampler* sampler, const float* logits, size_t count, int32_t* token);
/* Tells the penalties and DRY, and a grammar, of a token that is now part of the text, chosen or given.
 * LOAM_BAD_ARGUMENT where the grammar does not allow it; then nothing has changed. */
LOAM_API loam_status loam_sampler_accept(loam_sampler* sampler, int32_t token);

/* From here on the sampler chooses only tokens that lead to a text which fits a grammar in llama.cpp's notation (GBNF);
 * the text begins with the next token that is accepted, and ends with one that ends an answer. So call it when the
 * prompt has been accepted, and again for each answer. grammar NULL: any text. The sampler keeps what it needs of the
 * model. LOAM_BAD_ARGUMENT where the grammar is wrong (the message has line and column), LOAM_UNSUPPORTED where it
 * becomes too large; then nothing has changed. */
LOAM_API loam_status loam_sampler_set_grammar(loam_sampler* sampler, const loam_model* model, const char* grammar,
                                              size_t grammar_size);
/* The same with a JSON schema (draft 2020-12): the text is JSON that is valid for it. LOAM_UNSUPPORTED where the schema
 * has a keyword that this version lacks, with its JSON pointer in the message. */
LOAM_API loam_status loam_sampler_set_json_schema(loam_sampler* sampler, const loam_model* model, const char* schema,
                                                  size_t schema_size);

/* ---- texts that end an answer ---- */

/* Finds the first of `count` texts (NUL-terminated) in a stream of pieces that may be cut anywhere, inside a character
 * too. The time does not grow with the number of texts. LOAM_BAD_ARGUMENT where a text is empty or they have more than
 * 1 MiB together. count may be 0. A loam_stop belongs to one thread at a time. */
LOAM_API loam_status loam_stop_create(const char* const* texts, size_t count, loam_stop** stop);
LOAM_API loam_status loam_stop_free(loam_stop* stop);
/* Takes the next bytes of the answer, e.g. of loam_token_piece. *text: what can be shown now, borrowed until the next
 * call with this handle; the beginning of a stop text is held back, the stop text itself never shown. *found: -1, or
 * the index of the text that ended the stream (of several that end at one place, the longest); then nothing more is
 * shown until loam_stop_reset. */
LOAM_API loam_status loam_stop_push(loam_stop* stop, const char* bytes, size_t bytes_size, const char** text,
                                    size_t* size, int32_t* found);
/* The answer has ended otherwise: *text is what was held back, borrowed as above. */
LOAM_API loam_status loam_stop_finish(loam_stop* stop, const char** text, size_t* size);
/* Ready for another answer. */
LOAM_API loam_status loam_stop_reset(loam_stop* stop);

#ifdef __cplusplus
}
#endif
#endif
