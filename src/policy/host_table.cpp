#include "policy/host_table.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <utility>

namespace gost {

namespace {

constexpr std::string_view kExpected = "a hosts file is plain UTF-8 text with one 'IP name…' a line";

/// The first word of `line`, which it loses; empty at its end.
std::string_view take_word(std::string_view& line) {
  line = trim(line);
  std::string_view word = line.substr(0, line.find_first_of(" \t"));
  line.remove_prefix(word.size());
  return word;
}

/// A name as names are compared. The catch-all stays ".".
std::string comparable_name(std::string_view name) {
  if (name.size() > 1 && name.ends_with('.')) name.remove_suffix(1);
  return to_lower(name);
}

Result<> add_line(std::string_view line, std::vector<HostEntry>& entries) {
  std::string_view address = take_word(line);
  auto ip = IpAddress::parse(address);
  if (!ip) return fail(Cause::invalid, "'" + std::string(address) + "' is not an IP address; write 'IP name'");
  std::string_view name = take_word(line);
  if (name.empty()) return fail(Cause::invalid, "no name follows the address; write 'IP name'");
  for (; !name.empty(); name = take_word(line)) entries.push_back({std::string(name), *ip});
  return {};
}

}  // namespace

Result<std::vector<HostEntry>> parse_hosts(std::string_view text, std::string_view file) {
  std::vector<HostEntry> entries;
  for (Lines lines(text); lines.next();) {
    std::string_view line = without_comment(lines.line());
    if (line.empty()) continue;
    if (auto clean = refuse_control_characters(line, file, lines.number(), kExpected); !clean)
      return fail(clean.error());
    if (auto added = add_line(line, entries); !added)
      return fail(added.error().in(std::string(file) + ":" + std::to_string(lines.number())));
  }
  return entries;
}

HostTable::HostTable(const std::vector<HostEntry>& entries) {
  for (const HostEntry& entry : entries) {
    std::vector<IpAddress>& addresses = addresses_[comparable_name(entry.name)];
    IpAddress ip = entry.ip.unmapped();
    if (std::ranges::find(addresses, ip) == addresses.end()) addresses.push_back(ip);
  }
}

const std::vector<IpAddress>* HostTable::find(std::string_view name) const {
  auto found = addresses_.find(name);
  return found == addresses_.end() ? nullptr : &found->second;
}

std::vector<IpAddress> HostTable::lookup(std::string_view host) const {
  if (addresses_.empty() || host.empty()) return {};
  std::string dotted = "." + comparable_name(host);
  std::string_view name = dotted;
  if (const auto* addresses = find(name.substr(1))) return *addresses;
  for (std::size_t dot = 0; dot != std::string_view::npos; dot = name.find('.', dot + 1))
    if (const auto* addresses = find(name.substr(dot))) return *addresses;
  if (const auto* addresses = find(".")) return *addresses;
  return {};
}

HostFile::HostFile(std::string path, std::vector<HostEntry> inline_entries)
    : file_("hosts file", "split it over several hosts objects", std::move(path)),
      inline_entries_(std::move(inline_entries)) {}

Result<std::shared_ptr<HostFile>> HostFile::open(std::string path, std::vector<HostEntry> inline_entries) {
  std::shared_ptr<HostFile> file(new HostFile(std::move(path), std::move(inline_entries)));
  if (auto loaded = file->reload(); !loaded) return fail(loaded.error());
  return file;
}

Result<bool> HostFile::reload() {
  auto text = file_.read_if_changed();
  if (!text) return fail(text.error());
  if (!*text) return false;
  auto entries = parse_hosts(**text, path());
  if (!entries) return fail(entries.error());
  entries->insert(entries->begin(), inline_entries_.begin(), inline_entries_.end());
  table_.store(std::make_shared<HostTable>(*entries));
  return true;
}

}  // namespace gost
