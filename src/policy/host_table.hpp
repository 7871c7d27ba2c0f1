// Hosts: names whose addresses the configuration gives (config.md §3.4, §4.6), as /etc/hosts does for a machine.
#pragma once

#include "core/address.hpp"
#include "core/error.hpp"
#include "core/snapshot.hpp"
#include "policy/reloadable.hpp"
#include "policy/text_file.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace gost {

/// `lookup` may be called from any thread and never blocks.
class Hosts {
 public:
  virtual ~Hosts() = default;
  /// The addresses of `host` in the order in which they were given; none if it is not listed. Asked in this order:
  /// the name itself, ".name", ".parent" for each of its parents, and the catch-all ".". Upper and lower case, and a
  /// dot at the end, make no difference (in GOST they do).
  virtual std::vector<IpAddress> lookup(std::string_view host) const = 0;
};

struct HostEntry {
  std::string name;  ///< a host name, ".domain" (it and everything below it), or "." for every name
  IpAddress ip;
};

/// The entries of a text in the form of /etc/hosts: `IP name name…` a line, `#` begins a comment. Errors name
/// `file:line`: no IP, or no name behind it.
Result<std::vector<HostEntry>> parse_hosts(std::string_view text, std::string_view file);

/// A fixed table. A name with several entries has several addresses.
class HostTable final : public Hosts {
 public:
  explicit HostTable(const std::vector<HostEntry>& entries);

  std::vector<IpAddress> lookup(std::string_view host) const override;
  std::size_t size() const { return addresses_.size(); }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };

  const std::vector<IpAddress>* find(std::string_view name) const;

  std::unordered_map<std::string, std::vector<IpAddress>, Hash, std::equal_to<>> addresses_;
};

/// A table of which a part stands in a file. `lookup` reads a snapshot without a lock.
class HostFile final : public Hosts, public Reloadable {
 public:
  /// `inline_entries` count besides, before those of the file. Errors: the file cannot be read or does not parse.
  static Result<std::shared_ptr<HostFile>> open(std::string path, std::vector<HostEntry> inline_entries);

  std::vector<IpAddress> lookup(std::string_view host) const override { return table_.load()->lookup(host); }
  Result<bool> reload() override;
  const std::string& path() const override { return file_.path(); }

 private:
  HostFile(std::string path, std::vector<HostEntry> inline_entries);

  TextFile file_;
  std::vector<HostEntry> inline_entries_;
  Snapshot<HostTable> table_;
};

}  // namespace gost
