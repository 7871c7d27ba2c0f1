// A packet from anybody: the first byte chooses the cipher. What is refused can be restored, and what we seal opens.
#include "expect.hpp"

#include "kcp/fec.hpp"
#include "kcp/packet_crypt.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gost;
  using namespace gost::kcp;
  constexpr std::array<std::string_view, 13> kNames{"aes",     "aes-128", "aes-192",  "sm4",   "twofish",
                                                    "salsa20", "tea",     "blowfish", "cast5", "3des",
                                                    "xor",     "xtea",    "none"};
  static const Pass kPass = derive_pass("it's a secrect").value();
  static std::array<std::unique_ptr<PacketCrypt>, kNames.size()> crypts;
  static auto nonces = NonceSource::make();
  if (size < 1 || size > kMaxPacket) return 0;
  std::size_t choice = data[0] % kNames.size();
  auto& crypt = crypts[choice];
  if (!crypt) crypt = std::move(PacketCrypt::make(kNames[choice], kPass).value());

  Bytes given = Bytes(data, size).subspan(1);
  std::vector<std::uint8_t> packet(given.begin(), given.end());
  auto content = open(*crypt, packet);
  if (content) {
    PacketKind kind = packet_kind(*content);
    if (kind != PacketKind::malformed)
      fuzz::expect(packet_segments(*content, kind).size() <= content->size(), "segments are within the packet");
  }
  if (packet.size() >= kMinSealed) crypt->encrypt(packet);
  fuzz::expect(std::ranges::equal(packet, given), "what was opened in vain is restored");

  if (packet.size() < kMinSealed) return 0;
  seal(*crypt, *nonces, packet);
  auto opened = open(*crypt, packet);
  fuzz::expect(opened && std::ranges::equal(*opened, given.subspan(kCryptHeader)), "what is sealed opens");
  return 0;
}
