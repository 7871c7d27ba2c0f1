#include "kcp/fec_encoder.hpp"

#include "kcp/little_endian.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace gost::kcp {

namespace {

void write_header(MutableBytes packet, std::uint32_t sequence, std::uint16_t type) {
  store_le(packet.data(), sequence);
  store_le(packet.data() + 4, type);
}

}  // namespace

FecEncoder::FecEncoder(std::shared_ptr<const ReedSolomon> code, std::size_t max_packet, std::size_t headroom)
    : code_(std::move(code)), max_packet_(max_packet), headroom_(headroom), sums_(code_->parity()) {}

void FecEncoder::take_memory() {
  memory_ = std::make_unique_for_overwrite<std::uint8_t[]>(slot_size() * code_->parity());
  for (std::size_t i = 0; i < sums_.size(); ++i)
    sums_[i] = memory_.get() + i * slot_size() + headroom_ + kFecSequence;
}

std::span<const MutableBytes> FecEncoder::add(MutableBytes packet) {
  if (!memory_) take_memory();
  write_header(packet, next_++, kFecData);
  store_le(packet.data() + kFecSequence, static_cast<std::uint16_t>(packet.size() - kFecSequence));
  Bytes shard = packet.subspan(kFecSequence);
  if (shard.size() > longest_) {
    for (std::uint8_t* sum : sums_) std::memset(sum + longest_, 0, shard.size() - longest_);
    longest_ = shard.size();
  }
  code_->accumulate(in_group_, shard, sums_);
  if (++in_group_ < code_->data()) return {};
  return finish_group();
}

std::span<const MutableBytes> FecEncoder::finish_group() {
  packets_.clear();
  for (std::uint8_t* sum : sums_) {
    std::uint8_t* begin = sum - kFecSequence;
    write_header({begin, kFecSequence}, next_, kFecParity);
    next_ = (next_ + 1) % fec_wrap(code_->shards());
    packets_.emplace_back(begin - headroom_, headroom_ + kFecSequence + longest_);
  }
  in_group_ = 0;
  longest_ = 0;
  return packets_;
}

void FecEncoder::release() {
  if (in_group_ > 0) return;
  memory_.reset();
  packets_ = {};
}

}  // namespace gost::kcp
