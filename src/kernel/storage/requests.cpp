#include "kernel/storage/requests.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "kernel/memory/fields.h"
#include "kernel/memory/radix_tree.h"

namespace photon_dmesg {
namespace {

constexpr std::uint64_t word = sizeof(std::uint64_t);
constexpr std::uint64_t most_requests = std::uint64_t{1} << 20;
constexpr std::uint64_t most_hardware_queues = 8192;  // a CPU has no more than one

// REQ_OP_*, since 4.10.
constexpr std::array<std::pair<std::uint64_t, std::string_view>, 8> operations = {{
    {0, "read"},
    {1, "write"},
    {2, "flush"},
    {3, "discard"},
    {5, "secure erase"},
    {9, "write zeroes"},
    {34, "driver in"},
    {35, "driver out"},
}};
constexpr std::uint64_t write = 1;
constexpr std::uint64_t flush = 2;

std::string name_of_operation(std::uint64_t operation) {
  const auto* found = std::find_if(operations.begin(), operations.end(),
                                   [&](const auto& line) { return line.first == operation; });
  return found == operations.end() ? fmt::format("operation {}", operation)
                                   : std::string(found->second);
}

}  // namespace

std::string_view name_of(RequestState state) {
  switch (state) {
    case RequestState::Waiting:
      return "waiting";
    case RequestState::InFlight:
      return "in_flight";
    case RequestState::Completed:
      break;
  }
  return "completed";
}

Requests::Requests(const GuestKernel& kernel, const KernelTypes& types)
    : memory_(kernel.memory()),
      types_(types),
      release_(release_number(kernel.banner().release)),
      budget_("places for requests to disks", most_requests) {}

std::optional<std::uint64_t> Requests::number(GuestVirtual object, std::string_view member) const {
  return read_number(memory_, object, types_.find(member));
}

std::optional<GuestVirtual> Requests::pointer(GuestVirtual object, std::string_view member) const {
  return read_pointer(memory_, object, types_.find(member));
}

void Requests::add(GuestVirtual queue) {
  if (!seen_.insert(queue.value).second) return;
  const auto tag_set = pointer(queue, "request_queue.tag_set");
  if (tag_set) return add_modern(queue, *tag_set);
  add_legacy(queue);
}

// blk-mq. Each hardware queue has requests of its own, which disks of one host share; an elevator
// has others, which are the ones in use then.
void Requests::add_modern(GuestVirtual queue, GuestVirtual tag_set) {
  const std::uint64_t count =
      std::min(number(tag_set, "blk_mq_tag_set.nr_hw_queues").value_or(0), most_hardware_queues);
  if (!budget_.take(count)) return;
  const auto tags = pointer(tag_set, "blk_mq_tag_set.tags");
  for (std::uint64_t i = 0; tags && i < count; ++i) {
    if (const auto each = read_pointer(memory_, *tags + i * word)) add_tags(*each);
  }
  if (const auto shared = pointer(queue, "request_queue.sched_shared_tags")) add_tags(*shared);
  for (const GuestVirtual context : hardware_queues(queue, count)) add_hardware_queue(context);
}

// Each one's blk_mq_hw_ctx: an array until 5.17 and again since 6.19, a tree in between.
std::vector<GuestVirtual> Requests::hardware_queues(GuestVirtual queue, std::uint64_t count) {
  std::vector<GuestVirtual> found;
  const auto array = pointer(queue, "request_queue.queue_hw_ctx");
  for (std::uint64_t i = 0; array && i < count; ++i) {
    if (const auto each = read_pointer(memory_, *array + i * word)) found.push_back(*each);
  }
  if (array) return found;
  const std::uint64_t most = 2 * count + 16;  // nodes are counted too
  if (!budget_.take(most)) return found;
  return read_radix_tree(memory_, types_, queue, "request_queue.hctx_table", most).value_or(found);
}

void Requests::add_hardware_queue(GuestVirtual context) {
  if (const auto tags = pointer(context, "blk_mq_hw_ctx.sched_tags")) add_tags(*tags);
  // The one that flushes the disk's cache is beside all others.
  const auto flushes = pointer(context, "blk_mq_hw_ctx.fq");
  const auto request = flushes ? pointer(*flushes, "blk_flush_queue.flush_rq") : std::nullopt;
  if (request) look_at(*request);
}

void Requests::add_tags(GuestVirtual tags) {
  if (!seen_.insert(tags.value).second) return;
  // Until 4.10 there was one array; `rqs` has had requests that may be long gone since.
  const auto requests =
      read_pointer(memory_, tags, types_.find_any({"blk_mq_tags.static_rqs", "blk_mq_tags.rqs"}));
  const std::uint64_t count = number(tags, "blk_mq_tags.nr_tags").value_or(0);
  for (std::uint64_t i = 0; requests && i < count && budget_.take(); ++i) {
    if (const auto request = read_pointer(memory_, *requests + i * word)) look_at(*request);
  }
}

// Before blk-mq, until 4.20: the requests that the driver has, and may time out.
void Requests::add_legacy(GuestVirtual queue) {
  const auto head = types_.find("request_queue.timeout_list");
  const auto link = types_.find("request.timeout_list");
  if (!head || !link || release_ >= ReleaseNumber{5, 0}) return;
  constexpr std::size_t most = std::size_t{1} << 16;
  const ListNodes list = walk_list(memory_, queue + head->offset, most);
  if (list.broken) damaged_.add(fmt::format("the queue at {}", queue), *list.broken);
  for (const GuestVirtual node : list.nodes) {
    keep({node.value - link->offset}, RequestState::InFlight);
  }
}

void Requests::look_at(GuestVirtual request) {
  const auto state = state_of(request);
  if (state && !(*state == RequestState::Waiting && is_in_store(request))) keep(request, *state);
}

// Whether it was taken for a task that may ask for more (struct blk_plug, since 5.16), with the
// time of the one that it came with: what is to be read or written has a bio.
bool Requests::is_in_store(GuestVirtual request) const {
  const std::uint64_t operation = operation_of(number(request, "request.cmd_flags").value_or(0));
  return operation <= write && number(request, "request.bio") == 0U;
}

// Nothing if it is not in use.
std::optional<RequestState> Requests::state_of(GuestVirtual request) const {
  enum : std::uint64_t { Idle, Started, Done };                      // enum mq_rq_state
  if (const auto flags = number(request, "request.atomic_flags")) {  // until 4.15
    constexpr std::uint64_t is_complete = 1;
    constexpr std::uint64_t is_started = 2;
    if ((*flags & is_started) == 0) return std::nullopt;
    return (*flags & is_complete) != 0 ? RequestState::Completed : RequestState::InFlight;
  }
  constexpr std::uint64_t state_bits = 3;  // of gstate, in 4.16 and 4.17
  const auto state =
      read_number(memory_, request, types_.find_any({"request.state", "request.gstate"}));
  if (!state) return std::nullopt;
  if ((*state & state_bits) == Started) return RequestState::InFlight;
  if ((*state & state_bits) == Done) return RequestState::Completed;
  // Who has one counts as one that refers to it.
  if (number(request, "request.ref").value_or(0) != 0) return RequestState::Waiting;
  return std::nullopt;
}

void Requests::keep(GuestVirtual request, RequestState state) {
  const auto queue = pointer(request, "request.q");
  if (!queue || !seen_.insert(request.value).second) return;
  const std::uint64_t operation = operation_of(number(request, "request.cmd_flags").value_or(0));
  Request found;
  found.address = request;
  found.state = state;
  found.operation = name_of_operation(operation);
  if (operation != flush) {
    found.sector = number(request, "request.__sector");
    found.bytes = number(request, "request.__data_len");
  }
  if (state != RequestState::Waiting) found.given_nsec = time(request, "request.io_start_time_ns");
  found.by_monotonic = release_ >= ReleaseNumber{4, 18};
  const auto made = time(request, "request.start_time_ns");
  found.since_nsec = made ? made : found.given_nsec;
  by_queue_[queue->value].push_back(std::move(found));
}

// As the kernels since 4.10 number operations.
std::uint64_t Requests::operation_of(std::uint64_t flags) const {
  constexpr std::uint64_t operation_bits = 0xff;
  if (release_ >= ReleaseNumber{4, 10}) return flags & operation_bits;
  constexpr std::uint64_t discard = 3;
  constexpr std::uint64_t secure_erase = 5;
  if (release_ >= ReleaseNumber{4, 8}) {
    constexpr unsigned operation_shift = 61;
    constexpr std::array<std::uint64_t, 8> numbers = {0, 1, discard, secure_erase, 7, flush, 6, 7};
    return numbers[flags >> operation_shift];
  }
  constexpr std::uint64_t write_flag = 1U << 0;
  constexpr std::uint64_t discard_flag = 1U << 7;
  constexpr std::uint64_t flush_flag = 1U << 13;
  if ((flags & flush_flag) != 0) return flush;
  if ((flags & discard_flag) != 0) return discard;
  return flags & write_flag;
}

// 0 stands for none.
std::optional<std::uint64_t> Requests::time(GuestVirtual request, std::string_view member) const {
  const auto found = number(request, member);
  return found && *found != 0 ? found : std::nullopt;
}

void Requests::warn(Diagnostics& diagnostics) const {
  budget_.warn_if_exceeded("the guest", diagnostics);
  damaged_.warn(diagnostics);
}

std::vector<Request> Requests::of(GuestVirtual queue) const {
  const auto found = by_queue_.find(queue.value);
  if (found == by_queue_.end()) return {};
  std::vector<Request> requests = found->second;
  constexpr std::uint64_t unknown = std::numeric_limits<std::uint64_t>::max();
  std::stable_sort(requests.begin(), requests.end(),
                   [&](const Request& left, const Request& right) {
                     return left.since_nsec.value_or(unknown) < right.since_nsec.value_or(unknown);
                   });
  return requests;
}

}  // namespace photon_dmesg
