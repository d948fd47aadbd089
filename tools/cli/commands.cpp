// The table of commands and the options that each one knows. llama.cpp's familiar spellings mean the same here.
#include "tools/cli/commands.h"

namespace loam {
namespace {

constexpr Option kPre = {"--pre", Kind::text, "NAME", "",
                         "how a GGUF or tiktoken vocabulary splits text, where the file does not say"};

constexpr Option kModel[] = {
    {"-m,--model", Kind::text, "FILE", "", "model: .loam, or .gguf (converted once into the cache)"},
    {"--no-verify", Kind::flag, "", "", "do not check the file's checksums while loading"},
    kPre,
};

constexpr Option kThreads[] = {
    {"-t,--threads", Kind::integer, "N", "0", "threads; 0: one per core", 0, 1024},
};

constexpr Option kMachine[] = {
    {"--kv", Kind::choice, "f16|f32|q8", "f16", "type of the stored keys and values"},
    {"--activations", Kind::choice, "int8|f32", "int8",
     "what quantized matrices are multiplied by; f32 is slow and exact"},
};

constexpr Option kContext[] = {
    {"-c,--ctx-size", Kind::integer, "N", "0", "tokens of context; 0: what the model was trained for, or what fits", 0,
     1 << 24},
    {"-b,--batch-size", Kind::integer, "N", "512", "rows computed at once while reading a prompt", 1, 512},
};

constexpr Option kAnswer[] = {
    {"-n,--predict,--n-predict", Kind::integer, "N", "-1", "tokens of an answer at most; -1: until it ends", -1,
     1 << 24},
    {"--stop,-r,--reverse-prompt", Kind::text, "TEXT", "",
     "end the answer before this text; may be given several times"},
    {"--ignore-eos", Kind::flag, "", "", "never choose a token that ends the answer"},
    {"--time-limit", Kind::number, "SECONDS", "0", "end an answer after this time; 0: none", 0, 1e9},
};

constexpr Option kForm[] = {
    {"--grammar", Kind::text, "TEXT", "", "answers fit this grammar, in llama.cpp's notation (GBNF)"},
    {"--grammar-file", Kind::text, "FILE", "", "the grammar is in FILE"},
    {"-j,--json-schema", Kind::text, "TEXT", "", "answers are JSON that is valid for this schema; {}: any JSON"},
    {"-jf,--json-schema-file", Kind::text, "FILE", "", "the schema is in FILE"},
};

constexpr Option kSampling[] = {
    {"-s,--seed", Kind::integer, "N", "-1", "seed of the choices; -1: a new one each time", -1},
    {"--samplers", Kind::text, "NAMES", "",
     "the samplers in their order; default: penalties;dry;top_n_sigma;top_k;typ_p;top_p;min_p;xtc;temperature"},
    {"--temp,--temperature", Kind::number, "T", "0.7", "temperature; 0: always the likeliest token", 0, 100},
    {"--dynatemp-range", Kind::number, "T", "0", "move the temperature by so much with the entropy; 0: off", 0, 100},
    {"--dynatemp-exp", Kind::number, "X", "1", "exponent of the entropy for --dynatemp-range", 0, 100},
    {"--top-k", Kind::integer, "N", "40", "choose among the N likeliest; 0: off", 0, 1 << 24},
    {"--top-p", Kind::number, "P", "0.95", "choose among the likeliest that sum to P; 1: off", 0, 1},
    {"--min-p", Kind::number, "P", "0.05", "drop what is below P times the likeliest; 0: off", 0, 1},
    {"--typical,--typical-p", Kind::number, "P", "1", "choose among those of average surprise that sum to P; 1: off", 0,
     1},
    {"--top-nsigma,--top-n-sigma", Kind::number, "N", "-1",
     "drop logits N standard deviations below the largest; -1: off", -1, 1e6},
    {"--xtc-probability", Kind::number, "P", "0", "how often to drop the top choices but the last; 0: off", 0, 1},
    {"--xtc-threshold", Kind::number, "P", "0.1", "what is a top choice: at least P; above 0.5: off", 0, 1},
    {"--mirostat", Kind::integer, "N", "0", "Mirostat 1 or 2 in place of all filters; 0: off", 0, 2},
    {"--mirostat-ent", Kind::number, "X", "5", "Mirostat's target surprise in bits (tau)", 0, 1000},
    {"--mirostat-lr", Kind::number, "X", "0.1", "Mirostat's learning rate (eta)", 0, 1000},
    {"--adaptive-target", Kind::number, "P", "-1", "probability that adaptive_p, where --samplers names it, keeps to",
     -1, 1},
    {"--adaptive-decay", Kind::number, "X", "0.9", "how slowly adaptive_p forgets", 0, 0.99},
    {"-l,--logit-bias", Kind::text, "ID+X", "",
     "add X to the logit of token ID, or ID-X; ID-inf: never; may be given several times"},
};

constexpr Option kRepetition[] = {
    {"--repeat-penalty", Kind::number, "X", "1", "divide repeated tokens' logits by X; 1: off", 0.01, 100},
    {"--frequency-penalty", Kind::number, "X", "0", "take off X for each time that a token occurred", -100, 100},
    {"--presence-penalty", Kind::number, "X", "0", "take off X where a token occurred at all", -100, 100},
    {"--repeat-last-n", Kind::integer, "N", "64", "how far back these three look; -1: the whole text", -1, 1 << 24},
    {"--dry-multiplier", Kind::number, "X", "0", "DRY: take off X * base^(length - allowed length); 0: off", 0, 1e6},
    {"--dry-base", Kind::number, "X", "1.75", "base of the DRY penalty", 1, 1e6},
    {"--dry-allowed-length", Kind::integer, "N", "2", "repetitions of fewer tokens are free", 0, 1 << 24},
    {"--dry-penalty-last-n", Kind::integer, "N", "64", "how far back DRY looks; -1: the whole text", -1, 1 << 24},
    {"--dry-sequence-breaker", Kind::text, "TEXT", "",
     "no repetition reaches across TEXT; may be given several times; none; default: newline : \" *"},
};

constexpr Option kPrompt[] = {
    {"-p,--prompt", Kind::text, "TEXT", "", "the text"},
    {"-f,--file", Kind::text, "FILE", "", "the text is in FILE; -: standard input"},
    {"-e,--escape", Kind::flag, "", "", "\\n, \\t, \\\\, \\x41 ... in -p and other options that are texts"},
};

constexpr Option kChat[] = {
    {"-sys,--system-prompt", Kind::text, "TEXT", "", "the system's message"},
    {"--context-shift", Kind::flag, "", "", "when the context is full, drop the oldest turns and go on"},
    {"--hide-thinking", Kind::flag, "", "", "do not show what a reasoning model thinks (scripts never print it)"},
    {"--template", Kind::text, "FILE|NAME", "",
     "use this Jinja template, not the model's: a file, or plain, chatml, llama3, mistral, gemma ..."},
    {"--chat-template", Kind::text, "TEXT", "", "use this Jinja template, not the model's"},
};

constexpr Option kTemplate[] = {
    {"-m,--model", Kind::text, "FILE", "",
     "whose template: .loam, .gguf, a folder, or a .jinja file; no weights needed"},
    {"-f,--file", Kind::text, "FILE", "",
     "JSON: a list of messages, or {messages, tools, documents, ...}; default: standard input"},
    {"--template", Kind::text, "FILE|NAME", "",
     "use this template: a file, or plain, chatml, llama3, mistral, gemma ..."},
    {"--var", Kind::text, "NAME=JSON", "", "a variable of the template; may be given several times"},
    {"--no-generation-prompt", Kind::flag, "", "", "end after the last message, without the beginning of an answer"},
    {"--time", Kind::text, "TIME", "", "what strftime_now reads, e.g. '2024-07-26 12:00:00'; default: the clock"},
};

constexpr Option kConvert[] = {
    {"-o,--output", Kind::text, "FILE", "", "the .loam file to write; default: the source's name"},
    {"--type", Kind::text, "NAME", "", "type of the matrices; default: as a GGUF has them; n4 for float checkpoints"},
    {"--rounder", Kind::text, "NAME", "nearest", "how codes are chosen: nearest, or search (smaller errors, slower)"},
    {"--activation-block", Kind::integer, "N", "32", "k per scale of int8 activations; larger is faster, less exact",
     16, 256},
    {"--requantize", Kind::flag, "", "", "allow --type for matrices that are quantized already"},
    kPre,
    {"-t,--threads", Kind::integer, "N", "0", "threads; 0: one per core", 0, 1024},
};

constexpr Option kInspect[] = {
    {"--compare", Kind::text, "SOURCE", "", "print the largest difference of each tensor to this GGUF or folder"},
    {"--tensors", Kind::flag, "", "", "list all tensors"},
    {"--json", Kind::flag, "", "", "print JSON"},
};

constexpr Option kTokenize[] = {
    {"-m,--model", Kind::text, "FILE", "",
     "model or vocabulary: .loam, .gguf, a folder, tokenizer.json; no weights needed"},
    {"--ids", Kind::flag, "", "", "print numbers only, on one line"},
    {"--pieces", Kind::flag, "", "", "print the tokens' texts only, one in each line"},
    {"--count", Kind::flag, "", "", "print only how many tokens they are"},
    {"--decode", Kind::flag, "", "", "the text is a list of numbers: print what they stand for"},
    {"--special", Kind::flag, "", "", "special tokens in the text become their numbers; --decode prints them"},
    {"--no-bos", Kind::flag, "", "", "do not add the tokens that the model expects around a text"},
    kPre,
};

constexpr Option kBench[] = {
    {"-p,--prompt-lengths", Kind::text, "LIST", "512", "prompt lengths to measure, e.g. 128,512; 0: none"},
    {"-n,--decode-lengths", Kind::text, "LIST", "64", "numbers of tokens to decode, e.g. 64,128; 0: none"},
    {"--batches", Kind::text, "LIST", "1", "numbers of sequences decoded at once, e.g. 1,2,4,8"},
    {"--depths", Kind::text, "LIST", "0", "how many tokens stand before those that are decoded, e.g. 0,8192"},
    {"-t,--threads", Kind::text, "LIST", "0", "thread counts, e.g. 1,2; 0: one per core"},
    {"-r,--repetitions", Kind::integer, "N", "5", "runs of each", 1, 100},
    {"--profile", Kind::flag, "", "", "tell where the time of each test goes, op by op"},
    {"--json", Kind::flag, "", "", "print JSON"},
    {"--compare", Kind::text, "A.json", "", "compare two files of --json: --compare A.json B.json"},
    {"--synthetic", Kind::text, "SHAPE", "",
     "no file, but random weights of this shape: llama-1b, llama-8b, qwen-1.5b, smollm2-135m"},
    {"--type", Kind::text, "NAME", "n4", "type of the matrices of --synthetic"},
    {"--activation-block", Kind::integer, "N", "32", "k per scale of the activations of --synthetic", 16, 256},
};

constexpr OptionGroup kChatOptions[] = {
    {"Model", kModel},       {"Conversation", kChat},     {"Prompt", kPrompt},   {"Answer", kAnswer},   {"", kForm},
    {"Sampling", kSampling}, {"Repetition", kRepetition}, {"Context", kContext}, {"Machine", kThreads}, {"", kMachine},
};
constexpr OptionGroup kCompleteOptions[] = {
    {"Model", kModel},           {"Prompt", kPrompt},   {"Answer", kAnswer},   {"", kForm},    {"Sampling", kSampling},
    {"Repetition", kRepetition}, {"Context", kContext}, {"Machine", kThreads}, {"", kMachine},
};
constexpr OptionGroup kConvertOptions[] = {{"", kConvert}};
constexpr OptionGroup kInspectOptions[] = {{"", kInspect}};
constexpr OptionGroup kTokenizeOptions[] = {{"", kTokenize}, {"", kPrompt}};
constexpr OptionGroup kTemplateOptions[] = {{"", kTemplate}};
constexpr OptionGroup kBenchOptions[] = {{"", kModel}, {"", kBench}, {"", kMachine}};

constexpr Command kCommands[] = {
    {"chat", "talk with a model", "[MODEL]", 0, 1, kChatOptions, run_chat},
    {"complete", "continue a text (-p, -f or standard input)", "[MODEL]", 0, 1, kCompleteOptions, run_complete},
    {"convert", "make a .loam file from a GGUF file or a folder of safetensors", "SOURCE [FILE]", 1, 2, kConvertOptions,
     run_convert},
    {"inspect", "print what is in a model file", "FILE", 1, 1, kInspectOptions, run_inspect},
    {"verify", "check every checksum of a .loam file", "FILE", 1, 1, {}, run_verify},
    {"tokenize", "print the tokens of a text (-p, -f or standard input)", "[MODEL]", 0, 1, kTokenizeOptions,
     run_tokenize},
    {"template", "print what a chat template makes of messages (JSON)", "[MODEL]", 0, 1, kTemplateOptions,
     run_template},
    {"bench", "measure prefill and decode beside the peaks of this machine", "[MODEL...]", 0, 16, kBenchOptions,
     run_bench},
};

}  // namespace

std::span<const Command> all_commands() { return kCommands; }

}  // namespace loam
