#include "listing.h"

#include <string>

namespace restante {

result<json> read_list(connection& from, std::string_view sql, std::initializer_list<parameter> parameters) {
  auto answer =
      from.execute("select row_to_json(listed)::text from (" + std::string(sql) + ") listed", parameters);
  if (!answer) return answer.error();
  json list = json::array();
  for (const row each : *answer) list.push_back(json::parse(each.text(0)));
  return list;
}

result<json> read_record(connection& from, std::string_view sql,
                         std::initializer_list<parameter> parameters) {
  auto list = read_list(from, sql, parameters);
  if (!list) return list.error();
  return list->empty() ? json() : list->front();
}

}  // namespace restante
