#include "core/message.h"

#include "core/topic.h"

namespace restante {

std::string identity_of(const message& what) {
  const auto root = first_level(what.topic);
  if (root == "receipt") return what.topic + '/' + what.payload;
  if (root == "answer") return what.topic;
  return what.key.sender + '/' + what.key.id;
}

}  // namespace restante
