#include "core/message.h"

#include "core/topic.h"

namespace restante {

std::string identity_of(const message& what) {
  if (first_level(what.topic) == "receipt") return what.topic + '/' + what.payload;
  return what.key.sender + '/' + what.key.id;
}

}  // namespace restante
