#include "tls/session_cache.hpp"

#include <utility>

namespace gost::tls {

namespace {

bool is_tls13(const SSL_SESSION& session) {
  return SSL_SESSION_get_protocol_version(&session) == TLS1_3_VERSION;
}

}  // namespace

void SessionCache::put(std::string_view name, SessionPtr session) {
  if (!is_tls13(*session)) std::erase_if(entries_, [name](const Entry& entry) { return entry.name == name; });
  if (entries_.size() == kKept) entries_.erase(entries_.begin());
  entries_.push_back({std::string(name), std::move(session)});
}

SessionPtr SessionCache::take(std::string_view name) {
  std::erase_if(entries_, [](const Entry& entry) { return SSL_SESSION_is_resumable(entry.session.get()) == 0; });
  for (auto entry = entries_.end(); entry != entries_.begin();) {
    --entry;
    if (entry->name != name) continue;
    if (!is_tls13(*entry->session)) {
      SSL_SESSION_up_ref(entry->session.get());
      return SessionPtr(entry->session.get());
    }
    SessionPtr session = std::move(entry->session);
    entries_.erase(entry);
    return session;
  }
  return nullptr;
}

}  // namespace gost::tls
