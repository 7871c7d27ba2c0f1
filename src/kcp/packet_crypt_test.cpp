#include "kcp/packet_crypt.hpp"

#include "kcp/fec.hpp"

#include <gtest/gtest.h>

#include <map>
#include <numeric>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace gost::kcp {
namespace {

/// wire.md, appendix A: the bytes 0, 1, … 44 enciphered with the key "it's a secrect".
const std::map<std::string, std::string> kVectors = {
    {"aes", "86834343335b168ca911bf584a05f9900e1c6fda2c822a981eb60909411c15690afb116b0d6073935dd1a399f9"},
    {"aes-128", "ddd7e0a7981ba3e2a7f6d51f2a2663184531e844fe0ddec4d65df15b489c5ba3e15ff1881eaf077a23107a1086"},
    {"aes-192", "b9db59f7dd1bce4922855fb7f8f8e261a4937c0d7360349b24871684eb7bca422017d9f232c59cd2e4603e8463"},
    {"salsa20", "00010203040506079aaa6e7faf75365c40a4761a0c7be4446a8a411f62e5954a4ac802ddae0f35e6455e56815a"},
    {"blowfish", "186797305116055ece6531b898c4b2352cc7452301c8434ae21a1256aeb7305fb08d8648ad906dcc13c8fef8f0"},
    {"twofish", "79a0668add94e7387471af7514bb1065027a4425d5bd62db2ba645c8b7f41fe83931f68d4c3ad655e8b3727308"},
    {"cast5", "bb8f8d2209e0131c7d027b3e28d6b45788b9c798dc5b25fc905f95636f61bb1cf570dd159b95dc560e2c33a7ce"},
    {"3des", "5dca5d4fac8f6accf083365ae9eb528a24c6879fd6daee12f406f9a17955efec4fa86c417ab7d94fa773772244"},
    {"tea", "fc9c4eb4a8e9502bde3d3c8b0679084d963bc6bfca609b1ba987df5d5e088440024c54fe55fe7a44ffe41b540e"},
    {"xtea", "09256989438dfb5af0f2a323dfd1ac2c9af741cc94cf83fec52a72395260600933396d604d06cba2459225658d"},
    {"xor", "0fff8b84a99173765c7011c3f60cb8237bdf1315a6805604d54b25a70367b293d08e441c63be35690d89fadcb2"},
    {"sm4", "0340e44fd923bb2259e375a7ab6ee54de9bca063ac2859b4bfd05a8a7ada8cfee0ee39b42f17db450a2e938ba4"},
    {"none", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c"},
};

std::unique_ptr<PacketCrypt> crypt_of(std::string_view crypt, std::string_view key = "it's a secrect") {
  return std::move(PacketCrypt::make(crypt, derive_pass(key).value()).value());
}

/// The bytes 0, 1, 2, …
std::vector<std::uint8_t> counting(std::size_t size) {
  std::vector<std::uint8_t> bytes(size);
  std::iota(bytes.begin(), bytes.end(), std::uint8_t{0});
  return bytes;
}

TEST(PacketCrypt, DerivesTheKeysOfTheReference) {
  auto hex = [](std::string_view key) { return to_hex(derive_pass(key).value()); };
  EXPECT_EQ(hex(""), "b23383c32eefa3753ab6db6e639a0ddc3b50ec6b6c623c9171a15ba0879945cd");
  EXPECT_EQ(hex("it's a secrect"), "25d7d7bd51050742d8d791f2b653c6c8b2366b7e25a124cf7a2e12eaf4ffa444");
  EXPECT_EQ(hex("test"), "fc0327c66699e5622be3b108e336991375ba429750939d57003dc89d9fed8859");
}

class EachCipher : public testing::TestWithParam<std::string> {};

TEST_P(EachCipher, EnciphersTheVector) {
  auto crypt = crypt_of(GetParam());
  auto packet = counting(45);
  crypt->encrypt(packet);
  EXPECT_EQ(to_hex(packet), kVectors.at(GetParam()));
  crypt->decrypt(packet);
  EXPECT_EQ(packet, counting(45));
  EXPECT_TRUE(is_cipher_name(GetParam()));
}

TEST_P(EachCipher, DeciphersWhatItEnciphered) {
  auto crypt = crypt_of(GetParam());
  for (std::size_t size = 1; size <= kMaxPacket; size += size < 100 ? 1 : 37) {
    auto packet = counting(size);
    crypt->encrypt(packet);
    crypt->decrypt(packet);
    ASSERT_EQ(packet, counting(size)) << size;
  }
}

TEST_P(EachCipher, EnciphersABatchAsOneAfterTheOther) {
  auto crypt = crypt_of(GetParam());
  std::minstd_rand random(7);
  for (std::size_t count = 0; count <= 20; ++count) {
    std::vector<std::vector<std::uint8_t>> together;
    std::vector<std::vector<std::uint8_t>> apart;
    for (std::size_t i = 0; i < count; ++i) {
      together.push_back(counting(random() % 3 == 0 ? kMaxPacket - 150 : 1 + random() % 200));
      apart.push_back(together.back());
      crypt->encrypt(apart.back());
    }
    std::vector<MutableBytes> views(together.begin(), together.end());
    crypt->encrypt_batch(views);
    ASSERT_EQ(together, apart) << count;
  }
}

TEST_P(EachCipher, OpensWhatWasSealed) {
  auto crypt = crypt_of(GetParam());
  auto nonces = NonceSource::make();
  ASSERT_TRUE(nonces);
  for (std::size_t size = kMinSealed; size <= kMaxPacket; size += 61) {
    auto packet = counting(size);
    seal(*crypt, *nonces, packet);
    auto sealed = packet;
    auto opened = open(*crypt, packet);
    ASSERT_TRUE(opened) << size;
    EXPECT_EQ(to_hex(*opened), to_hex(Bytes(counting(size)).subspan(kCryptHeader)));
    auto damaged = sealed;
    damaged[size - 1] ^= 1;
    auto before = damaged;
    EXPECT_FALSE(open(*crypt, damaged));
    crypt->encrypt(damaged);
    EXPECT_EQ(damaged, before) << "what was refused can be restored";
  }
}

INSTANTIATE_TEST_SUITE_P(PacketCrypt, EachCipher, testing::ValuesIn([] {
                           std::vector<std::string> names;
                           for (const auto& [name, hex] : kVectors) names.push_back(name);
                           return names;
                         }()),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::erase(name, '-');
                           return name;
                         });

TEST(PacketCrypt, TakesEveryOtherNameForAes256) {
  for (std::string_view name : {"", "null", "aes-256", "aes-128-gcm", "AES", "none "}) {
    auto packet = counting(45);
    crypt_of(name)->encrypt(packet);
    EXPECT_EQ(to_hex(packet), kVectors.at("aes")) << name;
    EXPECT_FALSE(is_cipher_name(name));
  }
}

TEST(PacketCrypt, HasTheXorTableOfTheReference) {
  std::vector<std::uint8_t> packet(kMaxPacket);
  crypt_of("xor")->encrypt(packet);
  EXPECT_EQ(to_hex(Bytes(packet).first(32)), "0ffe8987ad94757154791bc8fa01b62c6bce0106b2954013cd523fbc1f7aac8c");
  EXPECT_EQ(to_hex(Bytes(packet).last(16)), "df44607871b19a362f7640db6a160114");
}

TEST(PacketCrypt, OpensThePacketOfTheReference) {
  auto crypt = crypt_of("aes", "");
  auto packet = from_hex(
      "9e8489efa7d32e3816d6685102aba90430d86c30915c1d4790255f6c0d7a22c5ac90934eb63abbd44c9bfd8c757b4c54"
      "e86823e5eede51cb94f5f3049809def6c936534086b2");
  auto opened = open(*crypt, *packet);
  ASSERT_TRUE(opened);
  EXPECT_EQ(to_hex(*opened),
            "00000000f1002c006b63285e51002000030000000000000000000000120000"
            "00ff060000734e61507059010c00004439ac2f");
  EXPECT_EQ(packet_kind(*opened), PacketKind::data);
  EXPECT_EQ(fec_sequence(*opened), 0U);
  EXPECT_EQ(packet_segments(*opened, PacketKind::data).size(), 42U);
}

TEST(PacketCrypt, RefusesShortPacketsAndOtherKeys) {
  auto crypt = crypt_of("aes", "test");
  auto nonces = NonceSource::make();
  for (std::size_t size = 0; size < kMinSealed; ++size) {
    auto packet = counting(size);
    EXPECT_FALSE(open(*crypt, packet)) << size;
    EXPECT_EQ(packet, counting(size));
  }
  auto packet = counting(1000);
  seal(*crypt, *nonces, packet);
  EXPECT_FALSE(open(*crypt_of("aes", "Test"), packet));
}

TEST(PacketCrypt, SealsABatchSoThatEachCanBeOpened) {
  auto crypt = crypt_of("aes");
  auto nonces = NonceSource::make();
  std::vector<std::vector<std::uint8_t>> packets;
  for (std::size_t i = 0; i < 300; ++i) packets.push_back(counting(kMinSealed + i * 3));
  std::vector<MutableBytes> views(packets.begin(), packets.end());
  seal_batch(*crypt, *nonces, views);
  for (MutableBytes packet : views) {
    auto opened = open(*crypt, packet);
    ASSERT_TRUE(opened);
    EXPECT_EQ(to_hex(*opened), to_hex(Bytes(counting(packet.size())).subspan(kCryptHeader)));
  }
}

TEST(NonceSource, NeverRepeats) {
  auto source = NonceSource::make();
  auto other = NonceSource::make();
  ASSERT_TRUE(source && other);
  std::set<std::array<std::uint8_t, kNonceSize>> seen;
  for (int i = 0; i < 3000; ++i) {
    for (NonceSource* each : {&*source, &*other}) {
      std::array<std::uint8_t, kNonceSize> nonce;
      each->fill(nonce);
      EXPECT_TRUE(seen.insert(nonce).second);
    }
  }
}

}  // namespace
}  // namespace gost::kcp
