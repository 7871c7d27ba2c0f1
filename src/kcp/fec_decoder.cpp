#include "kcp/fec_decoder.hpp"

#include "kcp/little_endian.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace gost::kcp {

namespace {

constexpr std::size_t kSizeField = kFecHeader - kFecSequence;

/// The segments in a restored shard; empty if it cannot be one: its SIZE lies, or it is not filled up with zeros.
Bytes segments_of(Bytes shard) {
  if (shard.size() < kSizeField) return {};
  auto size = load_le<std::uint16_t>(shard.data());
  if (size < kSizeField || size > shard.size()) return {};
  if (std::ranges::any_of(shard.subspan(size), [](std::uint8_t byte) { return byte != 0; })) return {};
  return shard.first(size).subspan(kSizeField);
}

}  // namespace

FecDecoder::FecDecoder(std::shared_ptr<const ReedSolomon> own, ShardPool& pool)
    : own_(std::move(own)), pool_(pool), code_(own_) {}

ShardCounts::Counts FecDecoder::counts() const {
  return code_ ? ShardCounts::Counts{code_->data(), code_->parity()} : ShardCounts::Counts{};
}

std::span<const Bytes> FecDecoder::decode(Bytes packet, TimePoint now) {
  expire(now);
  std::uint32_t sequence = fec_sequence(packet);
  bool parity = packet_kind(packet) == PacketKind::parity;
  Bytes shard = packet.subspan(kFecSequence);
  Group* group = nullptr;
  if (shard.size() <= ShardPool::kBlockSize && learn(sequence, parity)) {
    auto number = static_cast<std::uint32_t>(sequence % code_->shards());
    group = find(sequence - number, now);
    if (group != nullptr && group->complete) return {};
    if (group != nullptr && !insert(*group, number, shard)) group = nullptr;
  }
  if (group == nullptr) {
    ++dropped_;
    return {};
  }
  if (!parity && ++group->data == code_->data()) {
    finish(*group);
  } else if (group->members.size() >= code_->data()) {
    restore(*group);
  }
  return results_;
}

bool FecDecoder::learn(std::uint32_t sequence, bool parity) {
  if (!learning_.see(sequence, parity)) return false;
  if (code_) {
    if (sequence >= fec_wrap(code_->shards())) return false;
    if ((sequence % code_->shards() >= code_->data()) == parity) return true;
    code_.reset();
    for (Group& group : groups_) {
      finish(group);
      group.used = false;
    }
  }
  if (learned_ == kMostLearned) return false;
  auto found = learning_.find();
  if (!found) return false;
  ++learned_;
  if (own_ && own_->data() == found->data && own_->parity() == found->parity) {
    code_ = own_;
  } else if (auto made = ReedSolomon::make(found->data, found->parity)) {
    code_ = std::make_shared<const ReedSolomon>(std::move(*made));
  }
  return code_ && sequence < fec_wrap(code_->shards());
}

FecDecoder::Group* FecDecoder::find(std::uint32_t first, TimePoint now) {
  Group* place = groups_.data();
  for (Group& group : groups_) {
    if (group.used && group.first == first) return &group;
    // An unused place, else that of the oldest group.
    if (place->used && (!group.used || static_cast<std::int32_t>(group.first - place->first) < 0)) place = &group;
  }
  if (place->used && static_cast<std::int32_t>(first - place->first) < 0) return nullptr;
  finish(*place);
  *place = {.used = true, .first = first, .begun = now, .members = std::move(place->members)};
  return place;
}

bool FecDecoder::insert(Group& group, std::size_t number, Bytes shard) {
  auto place = std::ranges::lower_bound(group.members, number, {}, &Member::number);
  if (place != group.members.end() && place->number == number) return false;
  auto block = pool_.borrow();
  std::ranges::copy(shard, block.data());
  group.members.insert(place, Member{number, std::move(block), shard.size()});
  return true;
}

void FecDecoder::restore(Group& group) {
  std::size_t data = code_->data();
  std::size_t length = std::ranges::max_element(group.members, {}, &Member::size)->size;
  std::vector<ReedSolomon::Shard> have;
  std::vector<std::size_t> missing;
  std::vector<std::uint8_t*> into;
  for (Member& member : group.members) {
    if (have.size() == data) break;
    std::memset(member.block.data() + member.size, 0, length - member.size);
    have.push_back({member.number, member.block.data()});
  }
  for (std::size_t number = 0; number < data; ++number) {
    if (std::ranges::binary_search(group.members, number, {}, &Member::number)) continue;
    missing.push_back(number);
    into.push_back(blocks_.emplace_back(pool_.borrow()).data());
  }
  if (code_->reconstruct(have, length, missing, into)) {
    for (const std::uint8_t* shard : into) {
      if (Bytes segments = segments_of({shard, length}); !segments.empty()) results_.push_back(segments);
    }
  }
  restored_ += results_.size();
  dropped_ += into.size() - results_.size();
  finish(group);
}

void FecDecoder::finish(Group& group) {
  group.complete = true;
  group.members.clear();
}

void FecDecoder::expire(TimePoint now) {
  results_.clear();
  blocks_.clear();
  for (Group& group : groups_) {
    if (!group.used || now - group.begun < kLongest) continue;
    finish(group);
    group.used = false;
  }
}

std::size_t FecDecoder::held() const {
  std::size_t blocks = blocks_.size();
  for (const Group& group : groups_) blocks += group.members.size();
  return blocks * ShardPool::kBlockSize;
}

}  // namespace gost::kcp
