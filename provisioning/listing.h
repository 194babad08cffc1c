// Reads what a verb lists, as PostgreSQL itself writes it in JSON.
#pragma once

#include <initializer_list>
#include <string_view>

#include "output.h"
#include "postgres/connection.h"

namespace restante {

// An array with one object for each row of the query `sql`; keys are the columns, in their order.
result<json> read_list(connection& from, std::string_view sql,
                       std::initializer_list<parameter> parameters = {});

// The first row alone, or null when there is none.
result<json> read_record(connection& from, std::string_view sql,
                         std::initializer_list<parameter> parameters = {});

}  // namespace restante
