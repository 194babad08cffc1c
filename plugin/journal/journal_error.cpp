#include "journal/journal_error.h"

#include <errno.h>

#include <system_error>

namespace restante {
namespace {

std::string_view what_to_do(std::int64_t error) {
  switch (-error) {
    case EACCES:
    case EPERM:
      return "the directory must belong to the user that the broker runs as";
    case ENOENT:
      return "make the folder above it, or choose another with the option journal";
    case ENOTDIR:
      return "choose a directory with the option journal";
    case EROFS:
      return "mount the file system to be written, or choose another with the option journal";
    case ENOSPC:
    case EDQUOT:
      return "make room, or choose another file system with the option journal";
    case EMFILE:
    case ENFILE:
      return "allow the broker more open files";
    default:
      return "check the disk, then start the broker again";
  }
}

}  // namespace

journal_error journal_failure(std::string_view directory, std::string_view doing, std::int64_t error) {
  std::string line = "journal: ";
  line.append(doing).append(" in ").append(directory).append(" failed (");
  line.append(std::generic_category().message(static_cast<int>(-error))).append("): ");
  line.append(what_to_do(error));
  return {line};
}

}  // namespace restante
