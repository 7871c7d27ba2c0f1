#include "core/error.hpp"

#include <cctype>
#include <cerrno>
#include <cstring>

namespace gost {

std::string_view to_string(Cause cause) {
  switch (cause) {
  case Cause::other: return "other";
  case Cause::canceled: return "canceled";
  case Cause::timeout: return "timeout";
  case Cause::eof: return "eof";
  case Cause::reset: return "reset";
  case Cause::refused: return "refused";
  case Cause::host_unreachable: return "host_unreachable";
  case Cause::network_unreachable: return "network_unreachable";
  case Cause::address_type: return "address_type";
  case Cause::command: return "command";
  case Cause::denied: return "denied";
  case Cause::auth: return "auth";
  case Cause::protocol: return "protocol";
  case Cause::exhausted: return "exhausted";
  case Cause::invalid: return "invalid";
  }
  return "other";
}

std::string system_text(int number) {
  switch (number) {  // where Go's words differ from the C library's
  case ETIMEDOUT: return "connection timed out";
  case EMFILE: return "too many open files";
  case ENFILE: return "too many open files in system";
  default: break;
  }
  char buffer[128];
  std::string text = ::strerror_r(number, buffer, sizeof buffer);
  if (!text.empty()) text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  return text;
}

Cause system_cause(int number) {
  switch (number) {
  case ECONNREFUSED: return Cause::refused;
  case EHOSTUNREACH:
  case EHOSTDOWN: return Cause::host_unreachable;
  case ENETUNREACH:
  case ENETDOWN:
  case EADDRNOTAVAIL: return Cause::network_unreachable;
  case ETIMEDOUT: return Cause::timeout;
  case ECONNRESET:
  case EPIPE:
  case ECONNABORTED: return Cause::reset;
  case EACCES:
  case EPERM: return Cause::denied;
  case EAFNOSUPPORT: return Cause::address_type;
  case EMFILE:
  case ENFILE:
  case ENOBUFS:
  case ENOMEM: return Cause::exhausted;
  case EINVAL: return Cause::invalid;
  case ECANCELED: return Cause::canceled;
  default: return Cause::other;
  }
}

Error Error::system(int number, std::string_view context) {
  Error error{system_cause(number), system_text(number)};
  return context.empty() ? error : error.in(context);
}

Error Error::in(std::string_view what) const {
  std::string full;
  full.reserve(what.size() + 2 + text.size());
  full.append(what).append(": ").append(text);
  return Error{cause, std::move(full)};
}

}  // namespace gost
