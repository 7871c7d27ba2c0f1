#include "mux/framed_machine.hpp"

#include <algorithm>

namespace gost {

Result<> FramedMachine::input(Bytes bytes) {
  while (!bytes.empty() && !error_) {
    bool is_head = payload_left_ == 0;
    Bytes part = bytes.first(std::min(bytes.size(), is_head ? head_wanted_ : payload_left_));
    bytes = bytes.subspan(part.size());
    if (!is_head) {
      payload_left_ -= part.size();
      take_payload(part);
      continue;
    }
    std::ranges::copy(part, head_.begin() + static_cast<std::ptrdiff_t>(head_size_));
    head_size_ += part.size();
    head_wanted_ = take_head(Bytes(head_).first(head_size_));
    if (head_wanted_ > 0) continue;
    head_size_ = 0;
    head_wanted_ = head_at_least_;
  }
  if (error_) return fail(*error_);
  return {};
}

}  // namespace gost
