#include "bridge/http/curl_transport.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <stdexcept>
#include <unordered_map>
#include <utility>

namespace restante {
namespace {

constexpr long most_kept_connections = 16;
constexpr long longest_idle_s = 55;  // services close theirs after a minute
constexpr std::size_t most_header_bytes = 256u << 10;

struct clean_easy {
  void operator()(CURL* handle) const noexcept { curl_easy_cleanup(handle); }
};
struct clean_multi {
  void operator()(CURLM* handle) const noexcept { curl_multi_cleanup(handle); }
};
struct free_list {
  void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};
struct free_url {
  void operator()(CURLU* url) const noexcept { curl_url_cleanup(url); }
};

// One request under way. Stays where it is, since libcurl points into it.
struct exchange {
  std::uint64_t number = 0;
  std::size_t longest_bytes = 0, header_bytes = 0;
  http_request request;
  http_response response;
  bool is_too_large = false;
  std::array<char, CURL_ERROR_SIZE> error{};
  std::unique_ptr<curl_slist, free_list> headers;
  std::unique_ptr<CURL, clean_easy> handle;
};

void start_libcurl() {
  static std::once_flag once;
  static CURLcode started = CURLE_FAILED_INIT;
  std::call_once(once, [] { started = curl_global_init(CURL_GLOBAL_DEFAULT); });
  if (started != CURLE_OK) throw std::runtime_error("libcurl does not start");
}

std::string host_of(const std::string& url) {
  const std::unique_ptr<CURLU, free_url> parsed(curl_url());
  char* host = nullptr;
  if (!parsed || curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK ||
      curl_url_get(parsed.get(), CURLUPART_HOST, &host, 0) != CURLUE_OK) {
    return "the service";
  }
  std::string name(host);
  curl_free(host);
  return name;
}

http_failure failure_of(CURLcode code, bool is_too_large) {
  if (is_too_large) return http_failure::too_large;
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return http_failure::timeout;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
      return http_failure::certificate;
    default:
      return http_failure::unreachable;
  }
}

std::size_t take_body(char* data, std::size_t, std::size_t count, void* to) noexcept try {
  auto& into = *static_cast<exchange*>(to);
  if (count > into.longest_bytes - into.response.body.size()) {
    into.is_too_large = true;
    return 0;
  }
  into.response.body.append(data, count);
  return count;
} catch (...) {
  return 0;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blank = " \t\r\n";
  const std::size_t first = text.find_first_not_of(blank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

std::size_t take_header(char* data, std::size_t, std::size_t count, void* to) noexcept try {
  auto& into = *static_cast<exchange*>(to);
  into.header_bytes += count;
  if (into.header_bytes > most_header_bytes) {
    into.is_too_large = true;
    return 0;
  }
  const std::string_view line(data, count);
  // A new answer: the one before was a proxy's, or `100 Continue`.
  if (line.starts_with("HTTP/")) into.response.headers.clear();
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return count;
  std::string name(trimmed(line.substr(0, colon)));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  into.response.headers.emplace_back(std::move(name), trimmed(line.substr(colon + 1)));
  return count;
} catch (...) {
  return 0;
}

}  // namespace

class curl_transport::implementation {
 public:
  explicit implementation(curl_settings how) : settings_(std::move(how)) {
    start_libcurl();
    multi_.reset(curl_multi_init());
    if (!multi_) throw std::runtime_error("libcurl does not start");
    curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, most_kept_connections);
  }
  ~implementation() {
    for (auto& [handle, each] : under_way_) curl_multi_remove_handle(multi_.get(), handle);
  }
  implementation(const implementation&) = delete;
  implementation& operator=(const implementation&) = delete;

  void send(std::uint64_t number, http_request request) {
    auto made = std::make_unique<exchange>();
    made->number = number;
    made->longest_bytes = settings_.longest_answer_bytes;
    made->request = std::move(request);
    made->handle.reset(curl_easy_init());
    if (!made->handle || !prepare(*made) ||
        curl_multi_add_handle(multi_.get(), made->handle.get()) != CURLM_OK) {
      made->response.failure = http_failure::unreachable;
      made->response.error = "a request to " + host_of(made->request.url) + " could not be made";
      done_.push_back({number, std::move(made->response)});
      return;
    }
    CURL* handle = made->handle.get();
    under_way_.emplace(handle, std::move(made));
  }

  std::vector<answer> wait(std::chrono::milliseconds longest) {
    const auto end = std::chrono::steady_clock::now() + longest;
    for (;;) {
      int running = 0;
      curl_multi_perform(multi_.get(), &running);
      collect();
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
      if (!done_.empty() || woken_.exchange(false) || left.count() <= 0) return std::exchange(done_, {});
      curl_multi_poll(multi_.get(), nullptr, 0,
                      static_cast<int>(std::min<std::int64_t>(left.count(), 60'000)), nullptr);
    }
  }

  void wake() noexcept {
    woken_ = true;
    curl_multi_wakeup(multi_.get());
  }

  std::size_t under_way() const noexcept { return under_way_.size() + done_.size(); }

 private:
  bool prepare(exchange& of) {
    CURL* handle = of.handle.get();
    bool is_good = true;
    const auto set = [&](CURLoption option, auto value) {
      is_good = is_good && curl_easy_setopt(handle, option, value) == CURLE_OK;
    };
    set(CURLOPT_URL, of.request.url.c_str());
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_CUSTOMREQUEST, of.request.method.c_str());
    if (!of.request.body.empty() || (of.request.method != "GET" && of.request.method != "DELETE")) {
      set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(of.request.body.size()));
      set(CURLOPT_POSTFIELDS, of.request.body.c_str());
    }
    // Not to be asked whether it may send a body.
    add_header(of, "Expect:");
    for (const auto& [name, value] : of.request.headers) {
      std::string line = name;
      line.append(value.empty() ? ";" : ": ").append(value);
      add_header(of, line);
    }
    set(CURLOPT_HTTPHEADER, of.headers.get());
    set(CURLOPT_USERAGENT, settings_.user_agent.c_str());
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
    set(CURLOPT_FOLLOWLOCATION, 0L);
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(of.request.timeout.count()));
    set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(settings_.connect_timeout.count()));
    set(CURLOPT_MAXAGE_CONN, longest_idle_s);
    set(CURLOPT_TCP_KEEPALIVE, 1L);
    set(CURLOPT_SSL_VERIFYPEER, 1L);
    set(CURLOPT_SSL_VERIFYHOST, 2L);
    if (!settings_.ca_file.empty()) set(CURLOPT_CAINFO, settings_.ca_file.c_str());
    set(CURLOPT_ERRORBUFFER, of.error.data());
    set(CURLOPT_WRITEFUNCTION, &take_body);
    set(CURLOPT_WRITEDATA, static_cast<void*>(&of));
    set(CURLOPT_HEADERFUNCTION, &take_header);
    set(CURLOPT_HEADERDATA, static_cast<void*>(&of));
    return is_good && of.headers;
  }

  static void add_header(exchange& to, const std::string& line) {
    curl_slist* longer = curl_slist_append(to.headers.get(), line.c_str());
    if (!longer) return;
    static_cast<void>(to.headers.release());
    to.headers.reset(longer);
  }

  void collect() {
    int left = 0;
    while (CURLMsg* said = curl_multi_info_read(multi_.get(), &left)) {
      if (said->msg != CURLMSG_DONE) continue;
      const CURLcode code = said->data.result;
      const auto found = under_way_.find(said->easy_handle);
      if (found == under_way_.end()) continue;
      const std::unique_ptr<exchange> ended = std::move(found->second);
      under_way_.erase(found);
      curl_multi_remove_handle(multi_.get(), ended->handle.get());
      if (code == CURLE_OK) {
        long status = 0;
        curl_easy_getinfo(ended->handle.get(), CURLINFO_RESPONSE_CODE, &status);
        ended->response.status = static_cast<int>(status);
      } else {
        fail(*ended, code);
      }
      done_.push_back({ended->number, std::move(ended->response)});
    }
  }

  void fail(exchange& ended, CURLcode code) const {
    http_response failed;
    failed.failure = failure_of(code, ended.is_too_large);
    failed.error = host_of(ended.request.url) + ": ";
    // What libcurl says in detail might one day quote a URL.
    const std::string_view detail(ended.error.data());
    if (ended.is_too_large) {
      failed.error +=
          "the answer is longer than " + std::to_string(settings_.longest_answer_bytes) + " bytes";
    } else if (detail.empty() || detail.find('?') != std::string_view::npos ||
               detail.find("://") != std::string_view::npos) {
      failed.error += curl_easy_strerror(code);
    } else {
      failed.error += detail;
    }
    ended.response = std::move(failed);
  }

  const curl_settings settings_;
  std::unique_ptr<CURLM, clean_multi> multi_;
  std::unordered_map<CURL*, std::unique_ptr<exchange>> under_way_;
  std::vector<answer> done_;
  std::atomic<bool> woken_ = false;
};

curl_transport::curl_transport(curl_settings how) : how_(std::make_unique<implementation>(std::move(how))) {}
curl_transport::~curl_transport() = default;

void curl_transport::send(std::uint64_t number, http_request request) {
  how_->send(number, std::move(request));
}
std::vector<curl_transport::answer> curl_transport::wait(std::chrono::milliseconds longest) {
  return how_->wait(longest);
}
void curl_transport::wake() noexcept { how_->wake(); }
std::size_t curl_transport::under_way() const noexcept { return how_->under_way(); }

}  // namespace restante
