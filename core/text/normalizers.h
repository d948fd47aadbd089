// The makers of normalizers that live in other files than their list.
#pragma once
#include "core/text/steps.h"

namespace loam {

struct NormalizerRow {
  const char* type;
  Normalizer (*make)(const Json& step);
};

Normalizer make_nfc(const Json& step);
Normalizer make_nfd(const Json& step);
Normalizer make_nfkc(const Json& step);
Normalizer make_nfkd(const Json& step);
Normalizer make_lowercase(const Json& step);
Normalizer make_strip_accents(const Json& step);
Normalizer make_bert_normalizer(const Json& step);
Normalizer make_nmt(const Json& step);
Normalizer make_precompiled(const Json& step);
Normalizer make_sentencepiece(const Json& step);

}  // namespace loam
