# Writes C++ that holds the migrations: cmake -DDIRECTORY=... -DOUTPUT=... -P embed_migrations.cmake
file(GLOB FILES ${DIRECTORY}/*.sql)
list(SORT FILES)
set(ENTRIES "")
set(EXPECTED 1)
foreach(FILE IN LISTS FILES)
  get_filename_component(NAME ${FILE} NAME_WE)
  if(NOT NAME MATCHES "^([0-9][0-9][0-9][0-9])_[a-z0-9_]+$")
    message(FATAL_ERROR "${FILE}: migrations are named NNNN_name.sql")
  endif()
  math(EXPR VERSION "1${CMAKE_MATCH_1} - 10000")
  if(NOT VERSION EQUAL EXPECTED)
    message(FATAL_ERROR "${FILE}: migration ${EXPECTED} is missing")
  endif()
  math(EXPR EXPECTED "${EXPECTED} + 1")
  file(READ ${FILE} SQL)
  string(APPEND ENTRIES "    {${VERSION}, \"${NAME}\", R\"migration(${SQL})migration\"},\n")
endforeach()
if(ENTRIES STREQUAL "")
  message(FATAL_ERROR "${DIRECTORY}: no migrations")
endif()
file(WRITE ${OUTPUT} "#include \"migrations.h\"

namespace restante {
namespace {
constexpr migration embedded[] = {
${ENTRIES}};
}  // namespace

std::span<const migration> embedded_migrations() { return embedded; }

}  // namespace restante
")
