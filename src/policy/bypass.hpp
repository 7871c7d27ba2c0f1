// Bypass: which targets a rule applies to. On a service such a target is refused, on a hop or a node it goes another
// way (config.md §4.4). The name is GOST's.
#pragma once

#include "core/error.hpp"
#include "core/network.hpp"
#include "core/snapshot.hpp"
#include "policy/host_matcher.hpp"
#include "policy/reloadable.hpp"
#include "policy/text_file.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gost {

/// `contains` may be called from any thread and never blocks.
class Bypass {
 public:
  virtual ~Bypass() = default;
  /// True if the target is bypassed. `host` is a name or an IP literal without brackets, as it was asked for.
  virtual bool contains(Network network, std::string_view host, std::uint16_t port) const = 0;
  /// Whether it lists what is not bypassed; a group counts these in another way.
  virtual bool whitelist() const = 0;
};

struct BypassOptions {
  bool whitelist = false;          ///< what matches is not bypassed, everything else is
  std::optional<Network> network;  ///< requests of the other network are never bypassed
};

/// The matchers of a file's text, one a line, `#` begins a comment anywhere. Errors name `file:line`.
Result<std::vector<std::string>> parse_matchers(std::string_view text, std::string_view file);

/// A fixed list. Without any matcher it bypasses nothing, or with `network` everything of that network.
class BypassList final : public Bypass {
 public:
  /// Errors: a matcher that means nothing.
  static Result<std::shared_ptr<const BypassList>> make(const std::vector<std::string>& matchers,
                                                        const BypassOptions& options);

  bool contains(Network network, std::string_view host, std::uint16_t port) const override;
  bool whitelist() const override { return options_.whitelist; }
  std::size_t size() const { return matcher_.size(); }

 private:
  explicit BypassList(const BypassOptions& options) : options_(options) {}

  BypassOptions options_;
  HostMatcher matcher_;
};

/// A list of which a part stands in a file. `contains` reads a snapshot without a lock.
class BypassFile final : public Bypass, public Reloadable {
 public:
  /// `inline_matchers` count besides those of the file. Errors: the file cannot be read, or a matcher means nothing.
  static Result<std::shared_ptr<BypassFile>> open(std::string path, std::vector<std::string> inline_matchers,
                                                  const BypassOptions& options);

  bool contains(Network network, std::string_view host, std::uint16_t port) const override {
    return list_.load()->contains(network, host, port);
  }
  bool whitelist() const override { return options_.whitelist; }
  Result<bool> reload() override;
  const std::string& path() const override { return file_.path(); }

 private:
  BypassFile(std::string path, std::vector<std::string> inline_matchers, const BypassOptions& options);

  TextFile file_;
  std::vector<std::string> inline_matchers_;
  BypassOptions options_;
  Snapshot<BypassList> list_;
};

/// Several: bypassed is what all whitelists among them bypass, or what any blacklist bypasses.
class BypassGroup final : public Bypass {
 public:
  explicit BypassGroup(std::vector<std::shared_ptr<const Bypass>> members) : members_(std::move(members)) {}

  bool contains(Network network, std::string_view host, std::uint16_t port) const override;
  bool whitelist() const override { return false; }

 private:
  std::vector<std::shared_ptr<const Bypass>> members_;
};

}  // namespace gost
