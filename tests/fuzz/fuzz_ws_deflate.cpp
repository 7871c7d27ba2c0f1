// The first two bytes choose how much room there is and how the rest is cut. The rest is inflated as it is, within
// bounds whatever it says; and it is a message that comes back as it was when it has been deflated.
#include "expect.hpp"

#include "ws/deflate.hpp"

#include <algorithm>
#include <vector>

namespace {

using namespace gost;

/// So much of what `compressed` becomes, as one message in pieces; nothing if it is no message.
std::vector<std::uint8_t> inflated(Bytes compressed, std::size_t piece, std::size_t room, std::size_t most,
                                   bool& good) {
  std::vector<std::uint8_t> all;
  std::vector<std::uint8_t> some(room);
  auto inflater = ws::Inflater::begin().value();
  good = false;
  for (bool finishing = false;;) {
    while (inflater->pending() && all.size() < most) {
      auto made = inflater->inflate(some);
      if (!made) return {};
      fuzz::expect(*made <= room, "no more than there is room for");
      all.insert(all.end(), some.begin(), some.begin() + static_cast<std::ptrdiff_t>(*made));
    }
    if (all.size() >= most || finishing) break;
    finishing = compressed.empty();
    if (finishing && !inflater->finish()) return {};
    if (!finishing) inflater->feed(compressed.first(std::min(compressed.size(), piece)));
    compressed = compressed.subspan(std::min(compressed.size(), piece));
  }
  good = true;
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const std::size_t room = std::size_t{1} + data[0];
  const std::size_t piece = std::size_t{1} + data[1];
  const Bytes bytes = Bytes(data, size).subspan(2);
  bool good = false;
  inflated(bytes, piece, room, 100'000, good);

  const Bytes message = bytes.first(std::min(bytes.size(), ws::kMaxDeflated));
  std::vector<std::uint8_t> into(ws::kMaxDeflated + ws::kMaxDeflated / 2);
  const std::size_t deflated = ws::deflate_message(message, into).value();
  const auto back = inflated(Bytes(into).first(deflated), piece, room, 1'000'000, good);
  fuzz::expect(good && std::ranges::equal(back, message), "a message survives");
  return 0;
}
