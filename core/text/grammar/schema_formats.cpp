// Formats of strings as regular expressions: what they allow is valid, if not all that is valid.
#include "core/text/grammar/schema_parts.h"

namespace loam {
namespace {

#define LOAM_MONTH_DAY                                                                                                 \
  "(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8])" \
  ")"
#define LOAM_YEAR "(?:000[1-9]|00[1-9][0-9]|0[1-9][0-9]{2}|[1-9][0-9]{3})"
#define LOAM_LEAP_YEAR "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)"
#define LOAM_DATE "(?:" LOAM_YEAR "-" LOAM_MONTH_DAY "|" LOAM_LEAP_YEAR "-02-29)"
#define LOAM_TIME \
  "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\\.[0-9]{1,6})?(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
#define LOAM_BYTE "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
#define LOAM_LABEL "[A-Za-z0-9](?:[A-Za-z0-9-]{0,20}[A-Za-z0-9])?"
#define LOAM_DOMAIN LOAM_LABEL "(?:\\." LOAM_LABEL "){0,3}\\.[A-Za-z]{2,12}"
#define LOAM_HEX4 "[0-9a-fA-F]{1,4}"

struct Format {
  std::string_view name, pattern;
};

constexpr Format kFormats[] = {
    {"date", "^" LOAM_DATE "$"},
    {"time", "^" LOAM_TIME "$"},
    {"date-time", "^" LOAM_DATE "T" LOAM_TIME "$"},
    {"duration",
     "^P(?:[0-9]{1,4}D(?:T[0-9]{1,2}H(?:[0-9]{1,2}M(?:[0-9]{1,2}S)?)?)?|T[0-9]{1,2}H|T[0-9]{1,2}M|"
     "T[0-9]{1,2}S|[0-9]{1,4}W|[0-9]{1,4}Y(?:[0-9]{1,2}M(?:[0-9]{1,2}D)?)?|[0-9]{1,4}M)$"},
    {"email", "^[A-Za-z0-9_+-]{1,20}(?:\\.[A-Za-z0-9_+-]{1,20}){0,2}@" LOAM_DOMAIN "$"},
    {"hostname", "^" LOAM_DOMAIN "$"},
    {"ipv4", "^" LOAM_BYTE "(?:\\." LOAM_BYTE "){3}$"},
    {"ipv6", "^(?:" LOAM_HEX4 "(?::" LOAM_HEX4 "){7}|::|::" LOAM_HEX4 "(?::" LOAM_HEX4 "){0,5}|" LOAM_HEX4
             "(?::" LOAM_HEX4 "){0,2}::(?:" LOAM_HEX4 "(?::" LOAM_HEX4 "){0,3})?)$"},
    {"uri", "^https?://" LOAM_DOMAIN "(?::[1-9][0-9]{0,3})?(?:/[A-Za-z0-9._~-]{0,40}){0,8}"
            "(?:\\?[A-Za-z0-9._~=&-]{0,80})?(?:#[A-Za-z0-9._~-]{0,40})?$"},
    {"uuid", "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"},
};

#undef LOAM_MONTH_DAY
#undef LOAM_YEAR
#undef LOAM_LEAP_YEAR
#undef LOAM_DATE
#undef LOAM_TIME
#undef LOAM_BYTE
#undef LOAM_LABEL
#undef LOAM_DOMAIN
#undef LOAM_HEX4

// Those of the draft that we do not write; other names are remarks, as the draft says.
constexpr std::string_view kUnsupported[] = {"idn-email",    "idn-hostname",          "uri-reference",
                                             "iri",          "iri-reference",         "uri-template",
                                             "json-pointer", "relative-json-pointer", "regex"};

}  // namespace

std::string_view format_pattern(std::string_view format, const std::string& at) {
  for (const Format& f : kFormats)
    if (f.name == format) return f.pattern;
  for (const std::string_view name : kUnsupported)
    if (name == format)
      fail_schema(Code::unsupported, at, "format \"%s\" is not supported", std::string(format).c_str());
  return {};
}

}  // namespace loam
