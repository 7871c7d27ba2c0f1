#include "kcp/reed_solomon.hpp"

#include <isa-l/erasure_code.h>

#include <algorithm>
#include <bitset>
#include <string>

namespace gost::kcp {

namespace {

/// ISA-L expands each factor into so many bytes.
constexpr std::size_t kTableSize = 32;

/// ISA-L takes its arguments without const, but changes only what it says it writes.
std::uint8_t* unconst(const std::uint8_t* bytes) {
  return const_cast<std::uint8_t*>(bytes);
}

/// A row of factors for each of `wanted`: what the values of a polynomial at `known` must be multiplied by, so that
/// the sum is its value there (Lagrange). In this field addition and subtraction are XOR. All points are different.
std::vector<std::uint8_t> interpolate(Bytes known, Bytes wanted) {
  auto product_of_distances = [known](std::uint8_t from) {
    std::uint8_t product = 1;
    for (std::uint8_t point : known)
      if (point != from) product = gf_mul(product, point ^ from);
    return product;
  };
  std::vector<std::uint8_t> divisors;
  divisors.reserve(known.size());
  for (std::uint8_t point : known) divisors.push_back(product_of_distances(point));
  std::vector<std::uint8_t> rows;
  rows.reserve(known.size() * wanted.size());
  for (std::uint8_t point : wanted) {
    std::uint8_t product = product_of_distances(point);
    for (std::size_t i = 0; i < known.size(); ++i)
      rows.push_back(gf_mul(product, gf_inv(gf_mul(divisors[i], known[i] ^ point))));
  }
  return rows;
}

std::vector<std::uint8_t> tables_of(MutableBytes rows, std::size_t columns) {
  std::vector<std::uint8_t> tables(kTableSize * rows.size());
  ec_init_tables(static_cast<int>(columns), static_cast<int>(rows.size() / columns), rows.data(), tables.data());
  return tables;
}

/// The numbers from `first` on.
std::vector<std::uint8_t> points(std::size_t first, std::size_t count) {
  std::vector<std::uint8_t> made(count);
  for (std::size_t i = 0; i < count; ++i) made[i] = static_cast<std::uint8_t>(first + i);
  return made;
}

}  // namespace

Result<ReedSolomon> ReedSolomon::make(std::size_t data, std::size_t parity) {
  if (data == 0 || parity == 0 || data > kMostShards || parity > kMostShards - data) {
    return fail(Cause::invalid, "error correction with " + std::to_string(data) + " data and " +
                                    std::to_string(parity) + " parity packets: both must be positive, and at most " +
                                    std::to_string(kMostShards) + " together");
  }
  ReedSolomon code(data, parity);
  code.rows_ = interpolate(points(0, data), points(data, parity));
  code.tables_ = tables_of(code.rows_, data);
  return code;
}

void ReedSolomon::accumulate(std::size_t index, Bytes shard, std::span<std::uint8_t* const> parity) const {
  ec_encode_data_update(static_cast<int>(shard.size()), static_cast<int>(data_), static_cast<int>(parity_),
                        static_cast<int>(index), unconst(tables_.data()), unconst(shard.data()),
                        const_cast<std::uint8_t**>(parity.data()));
}

bool ReedSolomon::reconstruct(std::span<const Shard> have, std::size_t length, std::span<const std::size_t> missing,
                              std::span<std::uint8_t* const> into) const {
  if (have.size() != data_ || missing.size() != into.size()) return false;
  std::bitset<kMostShards> taken;
  std::vector<std::uint8_t> known;
  std::vector<std::uint8_t*> sources;
  known.reserve(data_);
  sources.reserve(data_);
  for (const Shard& shard : have) {
    if (shard.number >= shards() || taken[shard.number]) return false;
    taken.set(shard.number);
    known.push_back(static_cast<std::uint8_t>(shard.number));
    sources.push_back(unconst(shard.bytes));
  }
  std::vector<std::uint8_t> wanted;
  wanted.reserve(missing.size());
  for (std::size_t number : missing) {
    if (number >= data_ || taken[number]) return false;
    wanted.push_back(static_cast<std::uint8_t>(number));
  }
  if (wanted.empty() || length == 0) return true;
  auto rows = interpolate(known, wanted);
  auto tables = tables_of(rows, data_);
  ec_encode_data(static_cast<int>(length), static_cast<int>(data_), static_cast<int>(wanted.size()), tables.data(),
                 sources.data(), const_cast<std::uint8_t**>(into.data()));
  return true;
}

}  // namespace gost::kcp
