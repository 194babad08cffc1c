// Requests from the moment they arrive until they are acknowledged, and what has to be said of them next.
//
//   arrived ──take()──> being answered ──sent()──> answer published ──taken()──> to be acknowledged
//
// A request that is held already is not held twice. At most `longest` are held; what comes beyond is dropped
// without an acknowledgement, and `has_dropped()` until clear(): a new connection brings it again. Everything
// that was not acknowledged comes again then, so clear() loses nothing.
//
// Pure; threads: one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace restante {

struct service_call {
  std::string service, from, id, payload;
};

class request_queue {
 public:
  explicit request_queue(std::size_t longest) : longest_(longest) {}

  // False: dropped, as there is no room.
  bool arrived(service_call call);
  bool has_arrived() const noexcept { return !arrived_.empty(); }
  // Only when has_arrived().
  service_call take();
  // It cannot be answered now: the next to be taken.
  void put_back(service_call call) { arrived_.push_front(std::move(call)); }

  // Its answer is published under this number.
  void sent(std::uint64_t number, const service_call& call) { sent_.emplace(number, key_of(call)); }
  // The broker has taken that answer, or (not) refused it: then the request stays unacknowledged.
  void taken(std::uint64_t number, bool accepted);
  std::size_t under_way() const noexcept { return sent_.size(); }

  // At most `most` lines {from}/{id}, and forgets them.
  std::size_t unacknowledged() const noexcept { return answered_.size(); }
  std::string take_acknowledgement(std::size_t most);

  std::size_t held() const noexcept { return held_.size(); }
  bool has_dropped() const noexcept { return has_dropped_; }
  bool is_idle() const noexcept { return arrived_.empty() && sent_.empty() && answered_.empty(); }
  void clear();

 private:
  // Ids are used once by a sender, whatever the service.
  static std::string key_of(const service_call& call) { return call.from + "/" + call.id; }

  const std::size_t longest_;
  std::set<std::string> held_;
  std::deque<service_call> arrived_;
  std::map<std::uint64_t, std::string> sent_;
  std::vector<std::string> answered_;
  bool has_dropped_ = false;
};

}  // namespace restante
