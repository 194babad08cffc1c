// What Mosquitto calls. Nothing is thrown through here.
#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>

#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "broker/running_plugin.h"
#include "core/options.h"

namespace {

using restante::running_plugin;

// What Mosquitto keeps for us. Its callbacks are registered one by one and must be taken back by the same
// function, so they stand in one list.
struct loaded {
  mosquitto_plugin_id_t* id = nullptr;
  std::unique_ptr<running_plugin> plugin;
};

// `when_it_fails`: what a client sees when there is no memory. Never more than it may have.
template <typename Event, typename Call>
int guarded(void* event, void* user, int when_it_fails, Call call) noexcept {
  try {
    return call(*static_cast<running_plugin*>(user), *static_cast<Event*>(event));
  } catch (const std::exception& error) {
    mosquitto_log_printf(MOSQ_LOG_ERR, "restante: %s", error.what());
  } catch (...) {
    mosquitto_log_printf(MOSQ_LOG_ERR, "restante: an unknown error");
  }
  return when_it_fails;
}

extern "C" int on_basic_auth(int, void* event, void* user) {
  return guarded<mosquitto_evt_basic_auth>(
      event, user, MOSQ_ERR_AUTH,
      [](running_plugin& plugin, auto& what) { return plugin.events().basic_auth(what); });
}

extern "C" int on_acl_check(int, void* event, void* user) {
  return guarded<mosquitto_evt_acl_check>(
      event, user, MOSQ_ERR_ACL_DENIED,
      [](running_plugin& plugin, auto& what) { return plugin.events().acl_check(what); });
}

extern "C" int on_message(int, void* event, void* user) {
  return guarded<mosquitto_evt_message>(
      event, user, MOSQ_ERR_UNKNOWN,
      [](running_plugin& plugin, auto& what) { return plugin.events().message(what); });
}

extern "C" int on_disconnect(int, void* event, void* user) {
  return guarded<mosquitto_evt_disconnect>(event, user, MOSQ_ERR_SUCCESS,
                                           [](running_plugin& plugin, auto& what) {
                                             plugin.events().disconnect(what);
                                             return MOSQ_ERR_SUCCESS;
                                           });
}

extern "C" int on_tick(int, void* event, void* user) {
  return guarded<mosquitto_evt_tick>(event, user, MOSQ_ERR_SUCCESS, [](running_plugin& plugin, auto&) {
    plugin.tick();
    return MOSQ_ERR_SUCCESS;
  });
}

constexpr std::pair<int, MOSQ_FUNC_generic_callback> callbacks[] = {
    {MOSQ_EVT_BASIC_AUTH, on_basic_auth}, {MOSQ_EVT_ACL_CHECK, on_acl_check}, {MOSQ_EVT_MESSAGE, on_message},
    {MOSQ_EVT_DISCONNECT, on_disconnect}, {MOSQ_EVT_TICK, on_tick},
};

int start(mosquitto_plugin_id_t* id, void** user, const mosquitto_opt* given, int count) {
  std::vector<std::pair<std::string_view, std::string_view>> pairs;
  pairs.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    pairs.emplace_back(given[i].key, given[i].value == nullptr ? "" : given[i].value);
  }
  auto parsed = restante::parse_options(pairs);
  if (const auto* wrong = std::get_if<restante::option_error>(&parsed)) {
    mosquitto_log_printf(MOSQ_LOG_ERR, "restante: %s", wrong->line.c_str());
    return MOSQ_ERR_INVAL;
  }
  auto& chosen = std::get<restante::options>(parsed);
  auto records = restante::open_journal(chosen);
  if (const auto* wrong = std::get_if<std::string>(&records)) {
    mosquitto_log_printf(MOSQ_LOG_ERR, "restante: %s", wrong->c_str());
    return MOSQ_ERR_INVAL;
  }

  auto made = std::make_unique<loaded>();
  made->id = id;
  made->plugin = std::make_unique<running_plugin>(
      std::move(chosen), std::move(std::get<std::unique_ptr<restante::local_journal>>(records)));
  for (const auto& [event, callback] : callbacks) {
    if (mosquitto_callback_register(id, event, callback, nullptr, made->plugin.get()) != MOSQ_ERR_SUCCESS) {
      mosquitto_log_printf(MOSQ_LOG_ERR, "restante: this Mosquitto does not take callback %d", event);
      return MOSQ_ERR_UNKNOWN;
    }
  }
  mosquitto_log_printf(MOSQ_LOG_INFO, "restante: version " RESTANTE_VERSION);
  *user = made.release();
  return MOSQ_ERR_SUCCESS;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) int mosquitto_plugin_version(int count,
                                                                               const int* versions) {
  for (int i = 0; i < count; ++i) {
    if (versions[i] == MOSQ_PLUGIN_VERSION) return MOSQ_PLUGIN_VERSION;
  }
  return -1;
}

extern "C" __attribute__((visibility("default"))) int mosquitto_plugin_init(mosquitto_plugin_id_t* id,
                                                                            void** user, mosquitto_opt* given,
                                                                            int count) {
  try {
    return start(id, user, given, count);
  } catch (const std::exception& error) {
    mosquitto_log_printf(MOSQ_LOG_ERR, "restante: %s", error.what());
    return MOSQ_ERR_UNKNOWN;
  }
}

extern "C" __attribute__((visibility("default"))) int mosquitto_plugin_cleanup(void* user, mosquitto_opt*,
                                                                               int) {
  const std::unique_ptr<loaded> gone(static_cast<loaded*>(user));
  if (gone == nullptr) return MOSQ_ERR_SUCCESS;
  for (const auto& [event, callback] : callbacks)
    mosquitto_callback_unregister(gone->id, event, callback, nullptr);
  return MOSQ_ERR_SUCCESS;
}
