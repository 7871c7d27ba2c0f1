#include "policy/bypass.hpp"

#include <utility>

namespace gost {

namespace {
constexpr std::string_view kExpected = "a bypass file is plain UTF-8 text with one matcher a line";
}

Result<std::vector<std::string>> parse_matchers(std::string_view text, std::string_view file) {
  std::vector<std::string> matchers;
  HostMatcher probe;
  for (Lines lines(text); lines.next();) {
    std::string_view matcher = without_comment(lines.line());
    if (matcher.empty()) continue;
    if (auto clean = refuse_control_characters(matcher, file, lines.number(), kExpected); !clean)
      return fail(clean.error());
    if (auto added = probe.add(matcher); !added)
      return fail(added.error().in(std::string(file) + ":" + std::to_string(lines.number())));
    matchers.emplace_back(matcher);
  }
  return matchers;
}

Result<std::shared_ptr<const BypassList>> BypassList::make(const std::vector<std::string>& matchers,
                                                           const BypassOptions& options) {
  std::shared_ptr<BypassList> list(new BypassList(options));
  for (const std::string& matcher : matchers)
    if (auto added = list->matcher_.add(matcher); !added) return fail(added.error());
  list->matcher_.finish();
  return list;
}

bool BypassList::contains(Network network, std::string_view host, std::uint16_t port) const {
  if (options_.network && *options_.network != network) return false;
  if (matcher_.empty()) return options_.network.has_value();
  return matcher_.matches(host, port) != options_.whitelist;
}

BypassFile::BypassFile(std::string path, std::vector<std::string> inline_matchers, const BypassOptions& options)
    : file_("bypass file", "split it over several bypasses", std::move(path)),
      inline_matchers_(std::move(inline_matchers)),
      options_(options) {}

Result<std::shared_ptr<BypassFile>> BypassFile::open(std::string path, std::vector<std::string> inline_matchers,
                                                     const BypassOptions& options) {
  std::shared_ptr<BypassFile> file(new BypassFile(std::move(path), std::move(inline_matchers), options));
  if (auto loaded = file->reload(); !loaded) return fail(loaded.error());
  return file;
}

Result<bool> BypassFile::reload() {
  auto text = file_.read_if_changed();
  if (!text) return fail(text.error());
  if (!*text) return false;
  auto matchers = parse_matchers(**text, path());
  if (!matchers) return fail(matchers.error());
  matchers->insert(matchers->begin(), inline_matchers_.begin(), inline_matchers_.end());
  auto list = BypassList::make(*matchers, options_);
  if (!list) return fail(list.error());
  list_.store(std::move(*list));
  return true;
}

bool BypassGroup::contains(Network network, std::string_view host, std::uint16_t port) const {
  bool whitelists = false;
  bool passed = false;  // by a whitelist
  for (const auto& member : members_) {
    bool contains = member->contains(network, host, port);
    if (member->whitelist()) {
      whitelists = true;
      passed = passed || !contains;
    } else if (contains) {
      return true;
    }
  }
  return whitelists && !passed;
}

}  // namespace gost
