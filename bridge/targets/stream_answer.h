// What an answer of Stream means.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "bridge/core/http.h"
#include "bridge/core/target.h"

namespace restante {

enum class stream_request { upsert, patch, query, deactivate, reactivate, remove, task };

// `ids`: of the users that were in the request, in its order, or in that which began the task. `began`: what
// began the task; otherwise the request itself. Whatever stands in `response`: never throws but for want of
// memory, and the culprit is an index into `ids`.
sync_answer judge_stream_answer(stream_request asked, stream_request began, std::span<const std::string> ids,
                                const http_response& response);

}  // namespace restante
