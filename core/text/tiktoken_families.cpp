// The rows of the families.
#include "core/text/tiktoken_families.h"

namespace loam {
namespace {

using Special = TiktokenFamily::Special;

constexpr Special kGpt2[] = {{"<|endoftext|>"}};
constexpr Special kCl100k[] = {{"", 0, 1},         {"<|endoftext|>"}, {"<|fim_prefix|>"}, {"<|fim_middle|>"},
                               {"<|fim_suffix|>"}, {"", 0, 15},       {"<|endofprompt|>"}};
constexpr Special kO200k[] = {{"", 0, 1}, {"<|endoftext|>"}, {"", 0, 18}, {"<|endofprompt|>"}};
constexpr Special kQwen[] = {{"<|endoftext|>"}, {"<|im_start|>"}, {"<|im_end|>"}, {"<|extra_", 0, 205}};
constexpr Special kQwen35[] = {{"<|endoftext|>"},
                               {"<|im_start|>"},
                               {"<|im_end|>"},
                               {"<|object_ref_start|>"},
                               {"<|object_ref_end|>"},
                               {"<|box_start|>"},
                               {"<|box_end|>"},
                               {"<|quad_start|>"},
                               {"<|quad_end|>"},
                               {"<|vision_start|>"},
                               {"<|vision_end|>"},
                               {"<|vision_pad|>"},
                               {"<|image_pad|>"},
                               {"<|video_pad|>"},
                               {"<tool_call>"},
                               {"</tool_call>"},
                               {"<|fim_prefix|>"},
                               {"<|fim_middle|>"},
                               {"<|fim_suffix|>"},
                               {"<|fim_pad|>"},
                               {"<|repo_name|>"},
                               {"<|file_sep|>"},
                               {"<tool_response>"},
                               {"</tool_response>"},
                               {"<think>"},
                               {"</think>"},
                               {"<|audio_start|>"},
                               {"<|audio_end|>"},
                               {"<tts_pad>"},
                               {"<tts_text_bos>"},
                               {"<tts_text_eod>"},
                               {"<tts_text_bos_single>"},
                               {"<|audio_pad|>"}};
constexpr Special kLlama3[] = {{"<|begin_of_text|>"},
                               {"<|end_of_text|>"},
                               {"<|reserved_special_token_0|>"},
                               {"<|reserved_special_token_1|>"},
                               {"<|finetune_right_pad_id|>"},
                               {"<|step_id|>"},
                               {"<|start_header_id|>"},
                               {"<|end_header_id|>"},
                               {"<|eom_id|>"},
                               {"<|eot_id|>"},
                               {"<|python_tag|>"},
                               {"<|image|>"},
                               {"<|reserved_special_token_", 2, 244}};
constexpr Special kLlama4[] = {{"<|begin_of_text|>"},
                               {"<|end_of_text|>"},
                               {"<|fim_prefix|>"},
                               {"<|fim_middle|>"},
                               {"<|fim_suffix|>"},
                               {"<|header_start|>"},
                               {"<|header_end|>"},
                               {"<|eom|>"},
                               {"<|eot|>"},
                               {"<|step|>"},
                               {"<|text_post_train_reserved_special_token_", 0, 6},
                               {"<|python_start|>"},
                               {"<|python_end|>"},
                               {"<|finetune_right_pad|>"},
                               {"<|text_post_train_reserved_special_token_", 8, 61},
                               {"<|image_start|>"},
                               {"<|image_end|>"},
                               {"<|vision_reserved_special_token_", 0, 2},
                               {"<|tile_x_separator|>"},
                               {"<|tile_y_separator|>"},
                               {"<|vision_reserved_special_token_", 2, 4},
                               {"<|image|>"},
                               {"<|vision_reserved_special_token_", 6, 1},
                               {"<|patch|>"},
                               {"<|vision_reserved_special_token_", 7, 1041},
                               {"<|reasoning_reserved_special_token_", 0, 8},
                               {"<|reasoning_thinking_start|>"},
                               {"<|reasoning_thinking_end|>"},
                               {"<|reserved_special_token_", 0, 904}};
constexpr Special kKimi[] = {{"[BOS]"}, {"[EOS]"}, {"<|im_end|>"}, {"<|reserved_token_", 163587, 253}};

constexpr TiktokenFamily kFamilies[] = {
    {"gpt2", 50256, "gpt-2", kGpt2, nullptr, "<|endoftext|>"},
    {"cl100k", 100256, "dbrx", kCl100k, nullptr, "<|endoftext|>"},
    {"o200k", 199998, "gpt-4o", kO200k, nullptr, "<|endoftext|>"},
    {"qwen", 151643, "qwen2", kQwen, nullptr, "<|endoftext|>"},
    {"qwen3.5", 248044, "qwen35", kQwen35, nullptr, "<|im_end|>"},
    {"llama3", 128000, "llama-bpe", kLlama3, "<|begin_of_text|>", "<|end_of_text|>"},
    {"llama4", 200000, "llama4", kLlama4, "<|begin_of_text|>", "<|end_of_text|>"},
    {"kimi", 163584, "kimi-k2", kKimi, "[BOS]", "[EOS]"},
};

}  // namespace

std::span<const TiktokenFamily> tiktoken_families() { return kFamilies; }

}  // namespace loam
