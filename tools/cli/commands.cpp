// The table of commands and the options that each one knows. llama.cpp's familiar spellings mean the same here.
#include "tools/cli/commands.h"

namespace loam {
namespace {

constexpr Option kPre = {"--pre", Kind::text, "NAME", "", "pre-tokenizer of a GGUF file that names none or another"};

constexpr Option kModel[] = {
    {"-m,--model", Kind::text, "FILE", "", "model: .loam, or .gguf (converted once into the cache)"},
    {"--no-verify", Kind::flag, "", "", "do not check the file's checksums while loading"},
    kPre,
};

constexpr Option kMachine[] = {
    {"-t,--threads", Kind::integer, "N", "0", "threads; 0: one per core", 0, 1024},
    {"--kv", Kind::choice, "f16|f32", "f16", "type of the stored keys and values"},
    {"--activations", Kind::choice, "int8|f32", "int8",
     "what quantized matrices are multiplied by; f32 is slow and exact"},
};

constexpr Option kContext[] = {
    {"-c,--ctx-size", Kind::integer, "N", "0", "tokens of context; 0: what the model was trained for", 0, 1 << 24},
    {"-b,--batch-size", Kind::integer, "N", "512", "rows computed at once while reading a prompt", 1, 512},
};

constexpr Option kSampling[] = {
    {"-n,--predict,--n-predict", Kind::integer, "N", "-1", "tokens of an answer at most; -1: until it ends", -1,
     1 << 24},
    {"--temp", Kind::number, "T", "0.7", "temperature; 0: always the likeliest token", 0, 100},
    {"--top-k", Kind::integer, "N", "40", "choose among the N likeliest; 0: off", 0, 1 << 24},
    {"--top-p", Kind::number, "P", "0.95", "choose among the likeliest that sum to P; 1: off", 0, 1},
    {"--min-p", Kind::number, "P", "0.05", "drop what is below P times the likeliest; 0: off", 0, 1},
    {"--repeat-penalty", Kind::number, "X", "1", "divide repeated tokens' logits by X; 1: off", 0.01, 100},
    {"--repeat-last-n", Kind::integer, "N", "64", "how far back repetition counts", 0, 1 << 24},
    {"-s,--seed", Kind::integer, "N", "-1", "seed of the choices; -1: a new one each time", -1},
};

constexpr Option kPrompt[] = {
    {"-p,--prompt", Kind::text, "TEXT", "", "the text"},
    {"-f,--file", Kind::text, "FILE", "", "the text is in FILE; -: standard input"},
};

constexpr Option kChat[] = {
    {"-sys,--system-prompt", Kind::text, "TEXT", "", "the system's message"},
    {"--context-shift", Kind::flag, "", "", "when the context is full, drop the oldest turns and go on"},
    {"--chat-template", Kind::text, "TEXT", "", "use this Jinja template, not the model's"},
};

constexpr Option kConvert[] = {
    {"-o,--output", Kind::text, "FILE", "", "the .loam file to write; default: the source's name"},
    {"--type", Kind::text, "NAME", "", "type of the matrices; default: as a GGUF has them; n4 for float checkpoints"},
    {"--rounder", Kind::text, "NAME", "nearest", "how codes are chosen: nearest, or search (smaller errors, slower)"},
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
    {"-p,--prompt-lengths", Kind::text, "LIST", "512", "prompt lengths to measure, e.g. 128,512"},
    {"-n,--decode-lengths", Kind::text, "LIST", "128", "numbers of tokens to decode, e.g. 64,128"},
    {"-t,--threads", Kind::text, "LIST", "0", "thread counts, e.g. 1,2; 0: one per core"},
    {"-r,--repetitions", Kind::integer, "N", "5", "runs of each", 1, 1000},
    {"--kv", Kind::choice, "f16|f32", "f16", "type of the stored keys and values"},
    {"--activations", Kind::choice, "int8|f32", "int8",
     "what quantized matrices are multiplied by; f32 is slow and exact"},
    {"--json", Kind::flag, "", "", "print JSON"},
};

using Groups = std::span<const Option>;
constexpr Groups kChatOptions[] = {kModel, kChat, kPrompt, kContext, kSampling, kMachine};
constexpr Groups kCompleteOptions[] = {kModel, kPrompt, kContext, kSampling, kMachine};
constexpr Groups kConvertOptions[] = {kConvert};
constexpr Groups kInspectOptions[] = {kInspect};
constexpr Groups kTokenizeOptions[] = {kTokenize, kPrompt};
constexpr Groups kBenchOptions[] = {kModel, kBench};

constexpr Command kCommands[] = {
    {"chat", "talk with a model", "[MODEL]", 0, 1, kChatOptions, run_chat},
    {"complete", "continue a text (-p, -f or standard input)", "[MODEL]", 0, 1, kCompleteOptions, run_complete},
    {"convert", "make a .loam file from a GGUF file or a folder of safetensors", "SOURCE [FILE]", 1, 2, kConvertOptions,
     run_convert},
    {"inspect", "print what is in a model file", "FILE", 1, 1, kInspectOptions, run_inspect},
    {"verify", "check every checksum of a .loam file", "FILE", 1, 1, {}, run_verify},
    {"tokenize", "print the tokens of a text (-p, -f or standard input)", "[MODEL]", 0, 1, kTokenizeOptions,
     run_tokenize},
    {"bench", "measure prefill and decode beside the peaks of this machine", "[MODEL]", 0, 1, kBenchOptions, run_bench},
};

}  // namespace

std::span<const Command> all_commands() { return kCommands; }

}  // namespace loam
