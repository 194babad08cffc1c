// What storing, removing and reading cost: processor time for each row, of the store's session in PostgreSQL
// and of this process, from what the plugin's own code does. Prints a table.
//
// Usage: store_costs CONNINFO ROUNDS      on a database with accounts a0 ... a9999 and the group `crew` of a0
// ... a50
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "bench/store/store_driver.h"

namespace restante::bench {
namespace {

constexpr std::int64_t accounts = 10'000;

struct waiting {
  std::string account;
  message_key key;
  message_number number;
};

class costs {
 public:
  costs(const std::string& database, int rounds) : store_(database), rounds_(rounds) {}

  void run() {
    std::printf("| | rows | server us | client us | elapsed us |\n|---|--:|--:|--:|--:|\n");
    for (const int size : {500, 100, 1}) {
      measure("store, one recipient, batches of " + std::to_string(size), batches_of(size), size,
              [&] { return singles(size); });
      if (size == 500) forget_all();
    }
    measure("store, group of 50, each delivery", batches_of(500) / 4, 500, [&] { return group(10); });
    receipts("store a receipt, older one looked for, batches of 100");
    measure("remove by number, batches of 500", batches_of(500), 500, [&] { return by_number(500); });
    measure("remove by number, batches of 1", batches_of(1), 1, [&] { return by_number(1); });
    measure("remove by key, batches of 500", 4, 500, [&] { return by_key(500); });
    measure("remove by key, batches of 1", batches_of(1), 1, [&] { return by_key(1); });
    read(1, 22, "page of 22 rows from the beginning, each row");
    read(1, 200, "page of 200 rows from the beginning, each row");
    read(64, 22, "pages of 22 rows, 64 accounts at once, each row");
    read(64, 200, "pages of 200 rows, 64 accounts at once, each row");
    read_nothing();
    drain();
  }

 private:
  int batches_of(int size) const { return (size == 1 ? 400 : 20'000 / size) * rounds_; }

  template <typename Make>
  void measure(const std::string& name, int batches, std::int64_t rows_each, Make make) {
    std::int64_t server = 0, client = 0, elapsed = 0;
    for (int i = 0; i < batches; ++i) {
      store_batch batch = make();
      finish(batch);
      const std::int64_t server_before = store_.server_ns(), client_before = store_driver::client_ns(),
                         before = steady_us();
      store_.write(std::move(batch));
      elapsed += steady_us() - before;
      client += store_driver::client_ns() - client_before;
      server += store_.server_ns() - server_before;
    }
    print(name, static_cast<std::int64_t>(batches) * rows_each, server, client, elapsed);
  }

  static void print(const std::string& name, std::int64_t rows, std::int64_t server_ns,
                    std::int64_t client_ns, std::int64_t elapsed_us) {
    const auto each = [&](std::int64_t total, double unit) {
      return static_cast<double>(total) / unit / static_cast<double>(rows);
    };
    std::printf("| %s | %lld | %.2f | %.2f | %.2f |\n", name.c_str(), static_cast<long long>(rows),
                each(server_ns, 1e3), each(client_ns, 1e3), each(elapsed_us, 1));
    std::fflush(stdout);
  }

  std::string next_id() { return "m" + std::to_string(++last_id_); }

  store_batch singles(int count) {
    store_batch batch;
    for (int i = 0; i < count; ++i) {
      const std::string to = account(random() % accounts), from = account(random() % accounts),
                        id = next_id();
      batch.messages.push_back(letter("direct/" + to + "/" + from + "/" + id, from, id, {to}, payload_));
      waiting_.push_back({to, {from, id}, batch.messages.back().what->number});
    }
    return batch;
  }

  store_batch group(int count) {
    store_batch batch;
    std::vector<std::string> crew;
    for (int i = 1; i <= 50; ++i) crew.push_back(account(i));
    for (int i = 0; i < count; ++i) {
      const std::string id = next_id();
      batch.messages.push_back(letter("group/crew/a0/" + id, "a0", id, crew, payload_));
      for (const std::string& each : crew) {
        group_removals_.push_back({each, batch.messages.back().what->number});
      }
    }
    return batch;
  }

  void receipts(const std::string& name) {
    measure(name, 4 * rounds_, 100, [&] {
      store_batch batch;
      for (int i = 0; i < 100; ++i) {
        const std::string to = account(random() % accounts), by = account(random() % accounts),
                          id = next_id();
        batch.messages.push_back(letter("receipt/" + to + "/" + by + "/" + id, by, id, {to}, "delivered"));
        group_removals_.push_back({to, batch.messages.back().what->number});
      }
      return batch;
    });
    store_batch rest;
    rest.removals = std::exchange(group_removals_, {});
    store_.write(std::move(rest));
  }

  waiting take() {
    if (waiting_.empty()) give_up("nothing left to remove");
    std::swap(waiting_[random() % waiting_.size()], waiting_.back());
    waiting one = std::move(waiting_.back());
    waiting_.pop_back();
    return one;
  }

  store_batch by_number(int count) {
    while (waiting_.size() < static_cast<std::size_t>(count) * 2) refill();
    store_batch batch;
    for (int i = 0; i < count; ++i) {
      const waiting one = take();
      batch.removals.push_back({one.account, one.number});
    }
    return batch;
  }
  store_batch by_key(int count) {
    while (waiting_.size() < static_cast<std::size_t>(count) * 2) refill();
    store_batch batch;
    for (int i = 0; i < count; ++i) {
      const waiting one = take();
      removal_by_key wanted;
      wanted.account = one.account;
      wanted.key = one.key;
      wanted.through = INT64_MAX;
      batch.removals_by_key.push_back(wanted);
    }
    return batch;
  }
  void refill() {
    store_batch batch = singles(500);
    finish(batch);
    store_.write(std::move(batch));
  }
  void forget_all() {
    while (!waiting_.empty()) {
      store_batch batch;
      for (int i = 0; i < 2'000 && !waiting_.empty(); ++i) {
        batch.removals.push_back({waiting_.back().account, waiting_.back().number});
        waiting_.pop_back();
      }
      store_.write(std::move(batch));
    }
    if (!store_.watcher().execute_script("reset role")) give_up("no watcher");
  }

  // `each` rows for as many accounts that have nothing else.
  void fill(std::int64_t from_account, std::int64_t count, std::int64_t each) {
    for (std::int64_t i = 0; i < count; ++i) {
      store_batch batch;
      const std::string to = account(from_account + i);
      for (std::int64_t j = 0; j < each; ++j) {
        const std::string from = account(random() % accounts), id = next_id();
        batch.messages.push_back(letter("direct/" + to + "/" + from + "/" + id, from, id, {to}, payload_));
      }
      finish(batch);
      store_.write(std::move(batch));
    }
  }
  std::vector<page> read_all(std::int64_t from_account, std::int64_t count, std::uint32_t limit,
                             message_number after) {
    for (std::int64_t i = 0; i < count; ++i) {
      store_.ask({0, account(from_account + i), after, limit, 4u << 20, {}});
    }
    std::vector<page> all;
    store_.wait_for([&] {
      for (page& each : store_.take_pages()) all.push_back(std::move(each));
      return all.size() == static_cast<std::size_t>(count);
    });
    return all;
  }

  void read(std::int64_t count, std::uint32_t size, const std::string& name) {
    forget_all();
    fill(100, count, size);
    read_all(100, count, size, 0);
    std::int64_t rows = 0;
    const std::int64_t server = store_.server_ns(), client = store_driver::client_ns(), before = steady_us();
    for (int i = 0; i < (count == 1 ? 200 : 10) * rounds_; ++i) {
      for (const page& each : read_all(100, count, size, 0))
        rows += static_cast<std::int64_t>(each.rows.size());
    }
    print(name, rows, store_.server_ns() - server, store_driver::client_ns() - client, steady_us() - before);
    clear(count, size);
  }
  void clear(std::int64_t count, std::uint32_t size) {
    for (const page& each : read_all(100, count, size, 0)) {
      store_batch batch;
      for (const shared_message& row : each.rows) batch.removals.push_back({receiver(*row), row->number});
      store_.write(std::move(batch));
    }
  }
  static std::string receiver(const message& of) {
    const std::size_t from = of.topic.find('/') + 1;
    return of.topic.substr(from, of.topic.find('/', from) - from);
  }

  void read_nothing() {
    const message_number after = next_number();
    read_all(100, 1, 200, after);
    const int count = 200 * rounds_;
    std::int64_t server = store_.server_ns(), client = store_driver::client_ns(), before = steady_us();
    for (int i = 0; i < count; ++i) read_all(100, 1, 200, after);
    print("page that finds nothing new", count, store_.server_ns() - server,
          store_driver::client_ns() - client, steady_us() - before);
    server = store_.server_ns(), client = store_driver::client_ns(), before = steady_us();
    for (int i = 0; i < count / 20; ++i) read_all(100, 64, 200, after);
    print("the same, 64 accounts at once", count / 20 * 64, store_.server_ns() - server,
          store_driver::client_ns() - client, steady_us() - before);
  }

  // 100 accounts with 500 rows each: pages of 200, removed by number in batches while the next are read.
  void drain() {
    constexpr std::int64_t drained = 100, depth = 500;
    fill(100, drained, depth);
    const std::int64_t server = store_.server_ns(), client = store_driver::client_ns(), before = steady_us();
    std::int64_t rows = 0, removed = 0;
    std::vector<removal> gone;
    for (std::int64_t i = 0; i < drained; ++i) store_.ask({0, account(100 + i), 0, 200, 4u << 20, {}});
    store_.wait_for([&] {
      for (page& each : store_.take_pages()) {
        if (each.rows.empty()) continue;
        rows += static_cast<std::int64_t>(each.rows.size());
        const std::string to = receiver(*each.rows[0]);
        if (!each.complete) store_.ask({0, to, each.rows.back()->number, 200, 4u << 20, {}});
        for (const shared_message& row : each.rows) gone.push_back({to, row->number});
      }
      if (!store_.is_writing() && !gone.empty()) {
        store_batch batch;
        while (!gone.empty() && batch.removals.size() < 2'000) {
          batch.removals.push_back(std::move(gone.back()));
          gone.pop_back();
          ++removed;
        }
        store_.give(std::move(batch));
      }
      return removed == drained * depth && !store_.is_writing();
    });
    print("drain 100 accounts of 500 rows, pages of 200, removals included", rows,
          store_.server_ns() - server, store_driver::client_ns() - client, steady_us() - before);
  }

  static std::int64_t random() {
    static std::uint64_t state = 88172645463325252ULL;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return static_cast<std::int64_t>(state >> 1);
  }

  store_driver store_;
  const int rounds_;
  const std::string payload_ = std::string(200, 'x');
  std::int64_t last_id_ = now_us();
  std::vector<waiting> waiting_;
  std::vector<removal> group_removals_;
};

}  // namespace
}  // namespace restante::bench

int main(int count, char** arguments) {
  if (count != 3) restante::bench::give_up("usage: store_costs CONNINFO ROUNDS");
  restante::bench::costs(arguments[1], std::max(1, std::atoi(arguments[2]))).run();
}
