// SessionQuota: how many sessions a listener has open, all together and for each client.
#pragma once

#include "kcp/source_table.hpp"

#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

namespace gost::kcp {

/// Shared by the loops of a listener. Asked only when a session begins or ends.
class SessionQuota {
 public:
  SessionQuota(std::size_t most, std::size_t most_per_host) : most_(most), most_per_host_(most_per_host) {}

  /// Counts a session of `host`. Otherwise why there can be no more of them.
  std::optional<std::string> enter(const IpAddress& host) {
    std::scoped_lock lock(mutex_);
    if (open_ >= most_) return std::to_string(most_) + " sessions are open (option kcp.maxSessions)";
    auto& of_host = hosts_[host];
    if (of_host >= most_per_host_) {
      return std::to_string(most_per_host_) + " sessions of " + host.to_string() +
             " are open (option kcp.maxSessionsPerHost)";
    }
    ++of_host;
    ++open_;
    return std::nullopt;
  }
  void leave(const IpAddress& host) {
    std::scoped_lock lock(mutex_);
    auto found = hosts_.find(host);
    if (found == hosts_.end()) return;
    --open_;
    if (--found->second == 0) hosts_.erase(found);
  }

 private:
  const std::size_t most_;
  const std::size_t most_per_host_;
  std::mutex mutex_;
  std::size_t open_ = 0;
  std::unordered_map<IpAddress, std::size_t, AddressHash> hosts_;
};

}  // namespace gost::kcp
