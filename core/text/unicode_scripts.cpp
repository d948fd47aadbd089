// Oniguruma's tables less what is younger than the reference implementation's (Unicode 9).
#include "core/text/unicode_scripts.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "core/error.h"
#include "core/text/unicode.h"
#include "core/text/unicode_versions.h"

namespace loam {
namespace {

const char* const kScripts[] = {
    "Adlam",
    "Ahom",
    "Anatolian_Hieroglyphs",
    "Arabic",
    "Armenian",
    "Avestan",
    "Balinese",
    "Bamum",
    "Bassa_Vah",
    "Batak",
    "Bengali",
    "Bhaiksuki",
    "Bopomofo",
    "Brahmi",
    "Braille",
    "Buginese",
    "Buhid",
    "Canadian_Aboriginal",
    "Carian",
    "Caucasian_Albanian",
    "Chakma",
    "Cham",
    "Cherokee",
    "Common",
    "Coptic",
    "Cuneiform",
    "Cypriot",
    "Cyrillic",
    "Deseret",
    "Devanagari",
    "Duployan",
    "Egyptian_Hieroglyphs",
    "Elbasan",
    "Ethiopic",
    "Georgian",
    "Glagolitic",
    "Gothic",
    "Grantha",
    "Greek",
    "Gujarati",
    "Gurmukhi",
    "Han",
    "Hangul",
    "Hanunoo",
    "Hatran",
    "Hebrew",
    "Imperial_Aramaic",
    "Inherited",
    "Inscriptional_Pahlavi",
    "Inscriptional_Parthian",
    "Javanese",
    "Kaithi",
    "Kannada",
    "Kayah_Li",
    "Kharoshthi",
    "Khmer",
    "Khojki",
    "Khudawadi",
    "Lao",
    "Latin",
    "Lepcha",
    "Limbu",
    "Linear_A",
    "Linear_B",
    "Lisu",
    "Lycian",
    "Lydian",
    "Mahajani",
    "Malayalam",
    "Mandaic",
    "Manichaean",
    "Marchen",
    "Meetei_Mayek",
    "Mende_Kikakui",
    "Meroitic_Cursive",
    "Meroitic_Hieroglyphs",
    "Miao",
    "Modi",
    "Mongolian",
    "Mro",
    "Multani",
    "Myanmar",
    "Nabataean",
    "New_Tai_Lue",
    "Newa",
    "Nko",
    "Ogham",
    "Ol_Chiki",
    "Old_Hungarian",
    "Old_Italic",
    "Old_North_Arabian",
    "Old_Permic",
    "Old_Persian",
    "Old_South_Arabian",
    "Old_Turkic",
    "Oriya",
    "Osage",
    "Osmanya",
    "Pahawh_Hmong",
    "Palmyrene",
    "Pau_Cin_Hau",
    "Phags_Pa",
    "Phoenician",
    "Psalter_Pahlavi",
    "Rejang",
    "Runic",
    "Samaritan",
    "Saurashtra",
    "Sharada",
    "Shavian",
    "Siddham",
    "SignWriting",
    "Sinhala",
    "Sora_Sompeng",
    "Sundanese",
    "Syloti_Nagri",
    "Syriac",
    "Tagalog",
    "Tagbanwa",
    "Tai_Le",
    "Tai_Tham",
    "Tai_Viet",
    "Takri",
    "Tamil",
    "Tangut",
    "Telugu",
    "Thaana",
    "Thai",
    "Tibetan",
    "Tifinagh",
    "Tirhuta",
    "Ugaritic",
    "Vai",
    "Warang_Citi",
    "Yi",
};
const char* const kCountedAsHan[] = {"Hiragana", "Katakana"};

const CodeRange kYoung[] = {
    {0x560, 0x560},     {0x588, 0x588},     {0x5ef, 0x5ef},     {0x61d, 0x61d},     {0x7fd, 0x7ff},
    {0x860, 0x86a},     {0x870, 0x88e},     {0x890, 0x891},     {0x898, 0x89f},     {0x8b5, 0x8b5},
    {0x8be, 0x8d3},     {0x9fc, 0x9fe},     {0xa76, 0xa76},     {0xafa, 0xaff},     {0xb55, 0xb55},
    {0xc04, 0xc04},     {0xc3c, 0xc3c},     {0xc5d, 0xc5d},     {0xc77, 0xc77},     {0xc84, 0xc84},
    {0xcdd, 0xcdd},     {0xd00, 0xd00},     {0xd04, 0xd04},     {0xd3b, 0xd3c},     {0xd81, 0xd81},
    {0xe86, 0xe86},     {0xe89, 0xe89},     {0xe8c, 0xe8c},     {0xe8e, 0xe93},     {0xe98, 0xe98},
    {0xea0, 0xea0},     {0xea8, 0xea9},     {0xeac, 0xeac},     {0xeba, 0xeba},     {0x170d, 0x170d},
    {0x1715, 0x1715},   {0x171f, 0x171f},   {0x180f, 0x180f},   {0x1878, 0x1878},   {0x1abf, 0x1ace},
    {0x1b4c, 0x1b4c},   {0x1b7d, 0x1b7e},   {0x1c90, 0x1cba},   {0x1cbd, 0x1cbf},   {0x1cf7, 0x1cf7},
    {0x1cfa, 0x1cfa},   {0x1df6, 0x1dfa},   {0x20bf, 0x20c0},   {0x23ff, 0x23ff},   {0x2b97, 0x2b97},
    {0x2bba, 0x2bbc},   {0x2bc9, 0x2bc9},   {0x2bd2, 0x2beb},   {0x2bf0, 0x2bff},   {0x2c2f, 0x2c2f},
    {0x2c5f, 0x2c5f},   {0x2e45, 0x2e5d},   {0x312e, 0x312f},   {0x31bb, 0x31bf},   {0x32ff, 0x32ff},
    {0x4db6, 0x4dbf},   {0x9fd6, 0x9fff},   {0xa7af, 0xa7af},   {0xa7b8, 0xa7ca},   {0xa7d0, 0xa7d1},
    {0xa7d3, 0xa7d3},   {0xa7d5, 0xa7d9},   {0xa7f2, 0xa7f6},   {0xa82c, 0xa82c},   {0xa8fe, 0xa8ff},
    {0xab66, 0xab6b},   {0xfbc2, 0xfbc2},   {0xfd40, 0xfd4f},   {0xfdcf, 0xfdcf},   {0xfdfe, 0xfdff},
    {0x1019c, 0x1019c}, {0x1032d, 0x1032f}, {0x10780, 0x10785}, {0x10787, 0x107b0}, {0x107b2, 0x107ba},
    {0x10a34, 0x10a35}, {0x10a48, 0x10a48}, {0x11070, 0x11075}, {0x110c2, 0x110c2}, {0x110cd, 0x110cd},
    {0x11144, 0x11147}, {0x111ce, 0x111cf}, {0x1133b, 0x1133b}, {0x1145a, 0x1145a}, {0x1145e, 0x11461},
    {0x116b8, 0x116b9}, {0x1171a, 0x1171a}, {0x11740, 0x11746}, {0x11ab0, 0x11abf}, {0x11fb0, 0x11fb0},
    {0x11fc0, 0x11ff1}, {0x11fff, 0x11fff}, {0x13430, 0x13438}, {0x16f45, 0x16f4a}, {0x16f4f, 0x16f4f},
    {0x16f7f, 0x16f87}, {0x16fe2, 0x16fe3}, {0x16ff0, 0x16ff1}, {0x187ed, 0x187f7}, {0x18af3, 0x18aff},
    {0x18d00, 0x18d08}, {0x1aff0, 0x1aff3}, {0x1aff5, 0x1affb}, {0x1affd, 0x1affe}, {0x1b002, 0x1b122},
    {0x1b150, 0x1b152}, {0x1b164, 0x1b167}, {0x1cf00, 0x1cf2d}, {0x1cf30, 0x1cf46}, {0x1cf50, 0x1cfc3},
    {0x1d1e9, 0x1d1ea}, {0x1d2e0, 0x1d2f3}, {0x1d372, 0x1d378}, {0x1df00, 0x1df1e}, {0x1e7e0, 0x1e7e6},
    {0x1e7e8, 0x1e7eb}, {0x1e7ed, 0x1e7ee}, {0x1e7f0, 0x1e7fe}, {0x1e94b, 0x1e94b}, {0x1ec71, 0x1ecb4},
    {0x1ed01, 0x1ed3d}, {0x1f10d, 0x1f10f}, {0x1f12f, 0x1f12f}, {0x1f16c, 0x1f16f}, {0x1f1ad, 0x1f1ad},
    {0x1f260, 0x1f265}, {0x1f6d3, 0x1f6d7}, {0x1f6dd, 0x1f6df}, {0x1f6f7, 0x1f6fc}, {0x1f7d5, 0x1f7d8},
    {0x1f7e0, 0x1f7eb}, {0x1f7f0, 0x1f7f0}, {0x1f8b0, 0x1f8b1}, {0x1f900, 0x1f90f}, {0x1f91f, 0x1f91f},
    {0x1f928, 0x1f92f}, {0x1f931, 0x1f932}, {0x1f93f, 0x1f93f}, {0x1f94c, 0x1f94f}, {0x1f95f, 0x1f97f},
    {0x1f992, 0x1f9bf}, {0x1f9c1, 0x1fa53}, {0x1fa60, 0x1fa6d}, {0x1fa70, 0x1fa74}, {0x1fa78, 0x1fa7c},
    {0x1fa80, 0x1fa86}, {0x1fa90, 0x1faac}, {0x1fab0, 0x1faba}, {0x1fac0, 0x1fac5}, {0x1fad0, 0x1fad9},
    {0x1fae0, 0x1fae7}, {0x1faf0, 0x1faf6}, {0x1fb00, 0x1fb92}, {0x1fb94, 0x1fbca}, {0x1fbf0, 0x1fbf9},
    {0x2a6d7, 0x2a6df}, {0x2b735, 0x2b738}, {0x2ceb0, 0x2ebe0}, {0x30000, 0x3134a},
};

struct Free {
  void operator()(void* p) const { std::free(p); }
};
using Table = std::unique_ptr<uint8_t[], Free>;

void mark_script(uint8_t* table, const char* name, uint8_t script) {
  for_each_range(name, [&](uint32_t first, uint32_t last) { std::fill(table + first, table + last + 1, script); });
}

uint8_t script_of(const char* name) {
  const auto* row = std::find_if(std::begin(kScripts), std::end(kScripts),
                                 [&](const char* script) { return std::strcmp(script, name) == 0; });
  return uint8_t(1 + (row - std::begin(kScripts)));
}

Table make_scripts() {
  Table table(static_cast<uint8_t*>(std::calloc(kInvalidByte, 1)));
  if (!table) fail(Code::out_of_memory, "no memory for the table of scripts");
  for (const char* name : kScripts) mark_script(table.get(), name, script_of(name));
  for (const char* name : kCountedAsHan) mark_script(table.get(), name, script_of("Han"));
  for (const CodeRange& r : kYoung) std::fill(table.get() + r.first, table.get() + r.last + 1, kAnyScript);
  table[' '] = kAnyScript;
  table[0x30fc] = script_of("Han");
  table[0x589] = table[0x61c] = script_of("Common");
  table[0x953] = table[0x954] = script_of("Devanagari");
  return table;
}

}  // namespace

const uint8_t* char_scripts() {
  static const Table table = make_scripts();
  return table.get();
}

}  // namespace loam
