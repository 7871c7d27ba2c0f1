#include "component/refusal.hpp"

namespace gost {

Refusal refusal_for(Cause cause) {
  switch (cause) {
  case Cause::denied: return {0x5c, 0x02};
  case Cause::network_unreachable: return {0x5b, 0x03};
  case Cause::host_unreachable: return {0x5b, 0x04};
  case Cause::refused: return {0x5b, 0x05};
  case Cause::timeout: return {0x5b, 0x06};
  case Cause::command: return {0x5b, 0x07};
  case Cause::address_type: return {0x5b, 0x08};
  case Cause::auth: return {0x5d, 0x02};
  case Cause::other:
  case Cause::canceled:
  case Cause::eof:
  case Cause::reset:
  case Cause::protocol:
  case Cause::exhausted:
  case Cause::invalid: return {0x5b, 0x01};
  }
  return {0x5b, 0x01};
}

}  // namespace gost
